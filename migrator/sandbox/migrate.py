"""``POST /oauth/migrate``: a partner's OAuth 1.0a access token is swapped for an OAuth 2.0 pair."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any

from migrator.sandbox import access_tokens, pairs, tenants
from migrator.sandbox.access_tokens import AuthEvent
from migrator.sandbox.clients import secret_valid
from migrator.sandbox.faults import Repeat
from migrator.sandbox.legacy import TENANT_TYPES
from migrator.sandbox.messages import JSON, NO_STORE, Answer, Call, Refusal
from migrator.sandbox.oauth1 import Grant, in_one_transaction, read
from migrator.sandbox.signatures import form_parameters

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.provider import Provider

_SCOPE = re.compile(r"[!#-\[\]-~]+( [!#-\[\]-~]+)*")
"""RFC 6749, 3.3."""


def migrate(provider: Provider, call: Call) -> Answer:
    """Answer a pair for the connection whose token signed the call.

    The signature is checked first, then the token, then what is asked for: who is not known learns nothing.
    """
    now = provider.clock.now()

    def swap(db: sqlite3.Connection, grant: Grant) -> tuple[pairs.Pair, str]:
        grant.require_partner()
        grant.require_alive()
        if grant.expired(now):
            raise _errors(401, "The access token has expired")
        return _swap(provider, db, grant, _checked_scope(provider, call, grant), now), grant.tenant_id

    pair, tenant_id = in_one_transaction(provider, read(call), swap)
    document = {
        "access_token": pairs.sign(provider, pair),
        "refresh_token": pair.refresh_token,
        "expires_in": str(access_tokens.LIFETIME),  # a string here, unlike at /connect/token
        "token_type": "Bearer",
        "xero_tenant_id": tenant_id,
    }
    return Answer.of_json(200, document, NO_STORE)


def _swap(provider: Provider, db: sqlite3.Connection, grant: Grant, scope: str, now: float) -> pairs.Pair:
    match provider.repeat:
        case Repeat.NEWEST_WINS:
            pairs.supersede(db, grant.connection_id)
        case Repeat.NEVER:
            db.execute("UPDATE oauth1_tokens SET alive = 0 WHERE connection_id = ?", (grant.connection_id,))
        case Repeat.KEEP:
            pass
    db.execute("UPDATE connections SET swaps = swaps + 1 WHERE id = ?", (grant.connection_id,))
    tenants.connect(db, grant.user_id, grant.tenant_id, now, auth_event_id=None)
    return pairs.issue(
        db,
        connection_id=grant.connection_id,
        user_id=grant.user_id,
        client_id=provider.credentials.client_id,
        scope=scope,
        event=AuthEvent(str(uuid.uuid4()), now),
        now=now,
    )


def _checked_scope(provider: Provider, call: Call, grant: Grant) -> str:
    """The scope that is asked for, once the rest of the query and body is found right."""
    tenant_type = _tenant_type(call)
    if tenant_type not in TENANT_TYPES:
        raise _errors(400, f"tenantType must be {' or '.join(TENANT_TYPES)}")
    if tenant_type != grant.tenant_type:
        raise _errors(400, f"The token is for tenantType {grant.tenant_type}, not {tenant_type}")
    body = _json_object(call)
    client_id, client_secret, scope = (body.get(name) for name in ("client_id", "client_secret", "scope"))
    if not secret_valid(provider.credentials, client_id, client_secret):
        raise _error("invalid_client", "The client_id or client_secret is wrong")
    if not isinstance(scope, str) or not _SCOPE.fullmatch(scope) or "offline_access" not in scope.split(" "):
        raise _error("invalid_scope", "scope must be a space-separated string that contains offline_access")
    return scope


def _tenant_type(call: Call) -> str:
    """The query names it; one public client puts it into a header instead, one omits it."""
    for name, value in form_parameters(call.query):
        if name == b"tenantType":
            return value.decode(errors="replace")
    return call.headers.get("tenanttype", "ORGANISATION")


def _json_object(call: Call) -> dict[str, Any]:
    if call.media_type != JSON:
        raise _errors(415, f"The body must be {JSON}")
    try:
        body = json.loads(call.body)
    except (ValueError, RecursionError) as error:
        raise _error("invalid_request", "The body is not JSON") from error
    if not isinstance(body, dict):
        raise _error("invalid_request", "The body is not a JSON object")
    return body


def _error(word: str, description: str) -> Refusal:
    return Refusal(Answer.of_json(400, {"error": word, "error_description": description}))


def _errors(status: int, message: str) -> Refusal:
    return Refusal(Answer.of_json(status, {"errors": [message]}))
