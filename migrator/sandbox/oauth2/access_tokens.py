"""Access tokens: JSON Web Tokens (RFC 7519), signed with the state's own key."""

from __future__ import annotations

import hashlib
from typing import Any

import jwt

from migrator.sandbox.state.portal import private_key


class AccessTokens:
    """Signs and reads the tokens of one issuer (RS256)."""

    def __init__(self, key_pem: str, *, issuer: str, audience: str) -> None:
        self._key = private_key(key_pem)
        self._public_key = self._key.public_key()
        self._key_id = hashlib.sha1(key_pem.encode(), usedforsecurity=False).hexdigest().upper()
        self._issuer = issuer
        self._audience = audience

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
                audience=self._audience,
                issuer=self._issuer,
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return None
