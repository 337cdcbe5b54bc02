"""``POST /v2/oauth2/tokens/migrate``: the same swap at Intuit's address and in Intuit's words.

So that intuit-oauth's ``migrate``, a client of such an endpoint in the wild, can be tried. It asks for scopes
of its own, none of which is ``offline_access``, and gets a refresh token all the same.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import NO_STORE, Answer, Call
from migrator.sandbox.xero import migrate

if TYPE_CHECKING:
    from migrator.sandbox.xero.authorisation_server import Xero


def migrate_intuit(xero: Xero, call: Call) -> Answer:
    """Answer a pair for the connection whose token signed the call."""
    pair, tenant_id = migrate.win(xero, call, lambda _grant: migrate.asked_scope(xero, call))
    document = {
        "token_type": "bearer",
        "access_token": xero.sign(pair),
        "refresh_token": pair.refresh_token,
        "expires_in": xero.access_lifetime,
        "x_refresh_token_expires_in": xero.refresh_lifetime,
        "realmId": tenant_id,
    }
    return Answer.of_json(200, document, {**NO_STORE, "intuit_tid": str(uuid.uuid4())})
