"""``POST /v2/oauth2/tokens/migrate``: the same swap at Intuit's address and in Intuit's words.

So that intuit-oauth's ``migrate``, a client of such an endpoint in the wild, can be tried. It asks for scopes
of its own, none of which is ``offline_access``, and gets a refresh token all the same.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import NO_STORE, Answer, Call
from migrator.sandbox.oauth2 import access_tokens
from migrator.sandbox.state import pairs
from migrator.sandbox.xero import migrate

if TYPE_CHECKING:
    from migrator.sandbox.provider import Provider


def migrate_intuit(provider: Provider, call: Call) -> Answer:
    """Answer a pair for the connection whose token signed the call."""
    pair, tenant_id = migrate.win(provider, call, lambda _grant: migrate.asked_scope(provider, call))
    document = {
        "token_type": "bearer",
        "access_token": pairs.sign(provider, pair),
        "refresh_token": pair.refresh_token,
        "expires_in": access_tokens.LIFETIME,
        "x_refresh_token_expires_in": pairs.REFRESH_LIFETIME,
        "realmId": tenant_id,
    }
    return Answer.of_json(200, document, {**NO_STORE, "intuit_tid": str(uuid.uuid4())})
