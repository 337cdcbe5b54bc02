"""Identity tokens, and the keys to check one with (OpenID Connect Core, 2 and 5.3; RFC 7517)."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.oauth2 import bearer

if TYPE_CHECKING:
    from migrator.sandbox.oauth2.authorisation_server import AuthorisationServer

OPENID = "openid"
"""The scope that asks for one."""
LIFETIME = 300
"""Seconds."""


def sign(server: AuthorisationServer, claims: dict[str, Any], access_token: str, nonce: str | None) -> str:
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
        **{name: claims[name] for name in server.session_claims},
        **_person(server, server.user_id(claims)),
    }
    if nonce is not None:
        identity["nonce"] = nonce
    return server.access_tokens.sign(identity)


def userinfo(server: AuthorisationServer, call: Call) -> Answer:
    """Answer who the access token's user is."""
    with server.state.reading() as db:
        user_id = bearer.user(server, db, call)
    return Answer.of_json(200, _person(server, user_id))


def keys(server: AuthorisationServer, _call: Call) -> Answer:
    """Answer the public key that all tokens are signed for."""
    return Answer.of_json(200, {"keys": [server.access_tokens.public_jwk]})


def _person(server: AuthorisationServer, user_id: str) -> dict[str, str]:
    with server.state.reading() as db:
        row = db.execute("SELECT email FROM users WHERE id = ?", (user_id,)).fetchone()
    email = {"email": row["email"]} if row["email"] else {}
    return {**server.user_claims(user_id), **email}
