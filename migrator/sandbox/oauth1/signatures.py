"""Signatures as RFC 5849, section 3.4, writes them down; pure.

Written from the RFC and not on top of a client library, whose mistakes a check that is built on the same
functions would share. (oauthlib also decodes ``oauth_`` parameters of a query
twice and refuses queries with characters that real clients send.) Everything is done on bytes, so that what
is no UTF-8 is verified as it was sent.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes, unquote_to_bytes

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from migrator.sandbox.http.forms import Parameter

DEFAULT_PORTS = {"http": "80", "https": "443"}

_HEADER_PARAMETER = re.compile(rb'\s*([^\s=,"]+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')


class MalformedHeaderError(ValueError):
    """An ``Authorization: OAuth`` header that does not follow section 3.5.1."""


def percent_encode(raw: bytes) -> str:
    """Section 3.6: everything but letters, digits, ``-``, ``.``, ``_`` and ``~`` as upper-case ``%XX``."""
    return quote_from_bytes(raw, safe="~")


def header_parameters(authorization: bytes) -> list[Parameter]:
    """The parameters of an ``Authorization: OAuth`` header (3.5.1) without ``realm``; none of any other.

    Raises ``MalformedHeaderError``.
    """
    scheme, _, rest = authorization.strip().partition(b" ")
    if scheme.lower() != b"oauth":
        return []
    parameters = []
    position = 0
    while position < len(rest):
        match = _HEADER_PARAMETER.match(rest, position)
        if match is None:
            raise MalformedHeaderError('Authorization header is not a list of name="value"')
        name, value = match.groups()
        if name.lower() != b"realm":
            parameters.append((unquote_to_bytes(name), unquote_to_bytes(value)))
        position = match.end()
    return parameters


def base_string_uri(scheme: str, host: str, path: bytes) -> str:
    """Section 3.4.1.2. ``host`` is the ``Host`` header; ``path`` as sent, percent-encoding and case kept."""
    authority = host.lower().removesuffix(f":{DEFAULT_PORTS[scheme]}")
    return f"{scheme}://{authority}{path.decode('latin-1') or '/'}"


def normalised(parameters: Iterable[Parameter]) -> str:
    """Section 3.4.1.3.2: encoded, sorted by name and then value, joined; ``oauth_signature`` left out."""
    encoded = sorted(
        (percent_encode(name), percent_encode(value))
        for name, value in parameters
        if name != b"oauth_signature"
    )
    return "&".join(f"{name}={value}" for name, value in encoded)


def base_string(method: str, uri: str, parameters: Iterable[Parameter]) -> str:
    """Section 3.4.1.1: what is signed."""
    return "&".join(
        percent_encode(part.encode("latin-1")) for part in (method.upper(), uri, normalised(parameters))
    )


def hmac_sha1(base: str, consumer_secret: str, token_secret: str) -> str:
    """Section 3.4.2: the signature, Base64."""
    key = f"{percent_encode(consumer_secret.encode())}&{percent_encode(token_secret.encode())}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()


def hmac_sha1_valid(base: str, signature: str, consumer_secret: str, token_secret: str) -> bool:
    """Whether ``signature`` is the HMAC-SHA1 one; takes the same time whatever it is."""
    expected = hmac_sha1(base, consumer_secret, token_secret)
    return hmac.compare_digest(expected.encode(), signature.encode())


def rsa_sha1_valid(base: str, signature: str, public_key: RSAPublicKey) -> bool:
    """Whether ``signature`` was made with the private half of ``public_key`` (section 3.4.3)."""
    try:
        raw = base64.b64decode(signature, validate=True)
        public_key.verify(raw, base.encode(), padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - RFC 5849 says SHA-1
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True
