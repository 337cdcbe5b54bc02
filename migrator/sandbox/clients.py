"""OAuth 2.0 client authentication (RFC 6749, section 2.3)."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from migrator.sandbox.portal import Credentials


def secret_valid(credentials: Credentials, client_id: object, client_secret: object) -> bool:
    """Whether these are the confidential client's id and secret."""
    return _same(credentials.client_id, client_id) and _same(credentials.client_secret, client_secret)


def basic_credentials(authorization: str) -> tuple[str, str] | None:
    """Id and secret of a ``Basic`` header (each form-encoded, 2.3.1), or None if it is none."""
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, client_secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (unquote_plus(client_id), unquote_plus(client_secret)) if colon else None


def _same(expected: str, given: object) -> bool:
    return isinstance(given, str) and hmac.compare_digest(expected.encode(), given.encode(errors="replace"))
