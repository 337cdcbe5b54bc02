"""The revocation endpoint: a client gives a token back (RFC 7009)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import NO_STORE, Answer, Call
from migrator.sandbox.oauth2 import clients
from migrator.sandbox.state import pairs
from migrator.sandbox.state.tenants import disconnect_user

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.oauth2.authorisation_server import AuthorisationServer


def revoke(server: AuthorisationServer, call: Call) -> Answer:
    """End the grant of the form's ``token``: whatever was won from its swap, by refreshes too.

    It may be an access or a refresh token; ``token_type_hint`` only says where to look first, which a
    lookup this cheap need not know. A token that does not work is as good as unknown, and answered alike
    (2.2): so who revokes with a used refresh token is told yes and has achieved nothing. With the last pair
    of a user that works, the user's tenants are disconnected.
    """
    form = clients.read_form(call)
    client_id = clients.authenticate(server.credentials, call, form, status=401)
    if not form.get("token"):
        raise clients.error("invalid_request", "token is missing")
    with server.state.writing() as db:
        pair = _find(server, db, form["token"], client_id)
        if pair is not None:
            pairs.revoke(db, pair["grant_id"])
            if not pairs.any_works(db, pair["user_id"], server.clock.now()):
                disconnect_user(db, pair["user_id"])
    return Answer(200, b"", "", NO_STORE)


def _find(
    server: AuthorisationServer, db: sqlite3.Connection, token: str, client_id: str
) -> sqlite3.Row | None:
    now = server.clock.now()
    pair = pairs.by_refresh_token(db, token, client_id, now=now, grace=server.refresh_grace)
    if pair is not None:
        return pair
    claims = server.access_tokens.read(token)
    return pairs.by_jti(db, claims["jti"], client_id, now=now) if claims else None
