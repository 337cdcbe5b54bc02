"""OAuth 1.0a signatures (RFC 5849, 3).

Nothing else knows how a request is signed.
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from urllib.parse import parse_qsl, quote

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from migrator.models import Credentials, Secret
from migrator.providers import Signed
from migrator.random_bytes import RandomBytes

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
_DIGESTS = {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256"}
_NONCES = RandomBytes(16)
"""Bytes: two calls never draw the same."""

Pairs = list[tuple[str, str]]
"""Names and values, percent-encoded."""


@dataclass(frozen=True)
class SignedUrl:
    """What a URL adds to a base string (RFC 5849, 3.4.1): it is the same for all calls that go there."""

    uri: str = field(repr=False)
    """The base string URI, percent-encoded."""
    query: Pairs = field(repr=False)
    """The parameters of its query."""

    @classmethod
    def of(cls, uri: str, query: str) -> SignedUrl:
        """``uri`` is scheme, host and path (3.4.1.2)."""
        return cls(escaped(uri), _parameters(query))


def escaped(text: str) -> str:
    """Percent-encoded (3.6). Raises ``UnicodeEncodeError`` for half a character."""
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe="~")


def sign(signed: Signed, method: str, url: SignedUrl, form: str, now: datetime) -> Pairs:
    """The ``oauth_`` parameters of one request, the signature last.

    ``form`` is its body, if that is a form, else empty; ``now`` is the clock that the signature bears (UTC).
    To be asked anew for every call, so that no timestamp or nonce is ever used twice. Raises ``ValueError``
    for what cannot be signed.
    """
    credentials = signed.credentials
    token = signed.legacy.token.reveal()
    own = [  # the names are percent-encoded as they stand
        ("oauth_nonce", _NONCES.next().hex()),
        ("oauth_timestamp", str(int(now.timestamp()))),
        ("oauth_version", "1.0"),
        ("oauth_signature_method", escaped(credentials.signature_method)),
        ("oauth_consumer_key", escaped(credentials.consumer_key)),
    ]
    if token:
        own.append(("oauth_token", escaped(token)))
    own.extend((escaped(name), escaped(value.reveal())) for name, value in signed.parameters.items())
    text = _base_string(method, url.uri, [*url.query, *own, *_parameters(form)])
    own.append(("oauth_signature", escaped(_signature(text, credentials, signed.legacy.token_secret))))
    return own


def header(parameters: Pairs) -> str:
    """The value of an ``Authorization`` header (3.5.1)."""
    return "OAuth " + ", ".join([f'{name}="{value}"' for name, value in parameters])


def query(parameters: Pairs) -> str:
    """The same as a part of a URL's query (3.5.3)."""
    return "&".join([f"{name}={value}" for name, value in parameters])


def _parameters(encoded: str) -> Pairs:
    """What a query or a form says (3.4.1.3.1)."""
    pairs = parse_qsl(encoded, keep_blank_values=True) if encoded else []
    return [(escaped(name), escaped(value)) for name, value in pairs]


def _base_string(method: str, uri: str, parameters: Pairs) -> str:
    normalised = query(sorted(parameters))
    # Once more percent-encoded: these are all that is not unreserved in what was.
    twice = normalised.replace("%", "%25").replace("=", "%3D").replace("&", "%26")
    return f"{method}&{uri}&{twice}"


def _signature(text: str, credentials: Credentials, token_secret: Secret) -> str:
    method = credentials.signature_method
    if method == "RSA-SHA1":
        made = _private_key(credentials.private_key).sign(text.encode(), PKCS1v15(), SHA1())  # noqa: S303
    else:
        key = f"{escaped(credentials.consumer_secret.reveal())}&{escaped(token_secret.reveal())}"
        if method == "PLAINTEXT":
            return key
        # Not at one go by hmac.digest(): that lets go of Python's lock, and waits to get it back.
        made = hmac.new(key.encode(), text.encode(), _DIGESTS[method]).digest()
    return base64.b64encode(made).decode()


@lru_cache(maxsize=16)
def _private_key(pem: Secret) -> RSAPrivateKey:
    """An application's key: reading it takes longer than signing."""
    key = load_pem_private_key(pem.reveal().encode(), None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("the private key is no RSA key")  # noqa: TRY004 - its text may be any
    return key
