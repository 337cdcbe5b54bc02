"""Identity tokens, and what a client needs to check one (OpenID Connect Core, 2; Discovery, 3)."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.oauth2 import access_tokens, bearer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.sandbox.provider import Provider

OPENID = "openid"
"""The scope that asks for one."""
LIFETIME = 300
"""Seconds."""


def sign(provider: Provider, claims: Mapping[str, Any], access_token: str, nonce: str | None) -> str:
    """The identity token that goes with an access token of these claims."""
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    identity = {
        "iss": claims["iss"],
        "aud": claims["client_id"],
        "iat": claims["nbf"],
        "nbf": claims["nbf"],
        "exp": claims["nbf"] + LIFETIME,
        "auth_time": claims["auth_time"],
        "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        "global_session_id": claims["global_session_id"],
        **_person(provider, claims["xero_userid"]),
    }
    if nonce is not None:
        identity["nonce"] = nonce
    return provider.access_tokens.sign(identity)


def userinfo(provider: Provider, call: Call) -> Answer:
    """Answer who the access token's user is."""
    with provider.state.reading() as db:
        user_id = bearer.user(provider, db, call)
    return Answer.of_json(200, _person(provider, user_id))


def configuration(_provider: Provider, call: Call) -> Answer:
    """Answer where everything is."""
    base = f"{call.scheme}://{call.host}"
    document = {
        "issuer": access_tokens.ISSUER,
        "jwks_uri": f"{base}/.well-known/openid-configuration/jwks",
        "authorization_endpoint": f"{base}/identity/connect/authorize",
        "token_endpoint": f"{base}/connect/token",
        "userinfo_endpoint": f"{base}/connect/userinfo",
        "revocation_endpoint": f"{base}/connect/revocation",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
    }
    return Answer.of_json(200, document)


def keys(provider: Provider, _call: Call) -> Answer:
    """Answer the public key that all tokens are signed for."""
    return Answer.of_json(200, {"keys": [provider.access_tokens.public_jwk]})


def _person(provider: Provider, user_id: str) -> dict[str, str]:
    with provider.state.reading() as db:
        row = db.execute("SELECT email FROM users WHERE id = ?", (user_id,)).fetchone()
    email = {"email": row["email"]} if row["email"] else {}
    return {"sub": access_tokens.subject(user_id), "xero_userid": user_id, **email}
