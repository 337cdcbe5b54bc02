"""Access tokens: JSON Web Tokens with the claims that the provider's have (protocol: *OAuth 2.0*)."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

import jwt

from migrator.sandbox.state.portal import private_key

LIFETIME = 1800
"""Seconds."""
ISSUER = "https://identity.xero.com"
AUDIENCE = "https://identity.xero.com/resources"


@dataclass(frozen=True)
class AuthEvent:
    """The moment from which a grant stems: a user's consent, or a swap."""

    id: str
    """A UUID; a refresh keeps it."""
    time: float
    """When the user logged in, or the swap happened; epoch seconds."""


class AccessTokens:
    """Signs and reads access tokens with the state's own key (RS256)."""

    def __init__(self, key_pem: str) -> None:
        self._key = private_key(key_pem)
        self._public_key = self._key.public_key()
        self._key_id = hashlib.sha1(key_pem.encode(), usedforsecurity=False).hexdigest().upper()

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The public half of the key, as a JSON Web Key."""
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(self._public_key, as_dict=True)
        return {**jwk, "kid": self._key_id, "use": "sig", "alg": "RS256"}

    def sign(self, claims: dict[str, Any]) -> str:
        """The token that says ``claims``; the same claims give the same token."""
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._key_id})

    def read(self, token: str) -> dict[str, Any] | None:
        """What a token says, or None if we did not sign it. Whether it has expired is the caller's to ask."""
        try:
            return jwt.decode(
                token,
                self._public_key,
                algorithms=["RS256"],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return None


def subject(user_id: str) -> str:
    """How a token's ``sub`` names a user."""
    return hashlib.md5(user_id.encode(), usedforsecurity=False).hexdigest()


def claims(*, client_id: str, user_id: str, scope: str, now: float, event: AuthEvent) -> dict[str, Any]:
    """The claims of a new access token for one user; ``scope`` is space-separated."""
    start = int(now)
    return {
        "nbf": start,
        "exp": start + LIFETIME,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "client_id": client_id,
        "sub": subject(user_id),
        "auth_time": int(event.time),
        "xero_userid": user_id,
        "global_session_id": uuid.uuid4().hex,
        "jti": uuid.uuid4().hex.upper(),
        "authentication_event_id": event.id,
        "scope": scope.split(),
    }
