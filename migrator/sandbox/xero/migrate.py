"""``POST /oauth/migrate``: a partner's OAuth 1.0a access token is swapped for an OAuth 2.0 pair."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from migrator.sandbox.http.documents import json_object
from migrator.sandbox.http.forms import form_fields
from migrator.sandbox.http.messages import JSON, NO_STORE, Answer, Call, Refusal
from migrator.sandbox.oauth1.authentication import in_one_transaction, read, require_alive
from migrator.sandbox.oauth2.authorisation_request import SCOPE
from migrator.sandbox.oauth2.clients import secret_valid
from migrator.sandbox.state import swaps, tenants
from migrator.sandbox.state.pairs import AuthEvent, Pair
from migrator.sandbox.xero.app_types import require_partner
from migrator.sandbox.xero.legacy_tokens import TENANT_TYPES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from migrator.sandbox.state.grants import Grant
    from migrator.sandbox.xero.authorisation_server import Xero


def migrate(xero: Xero, call: Call) -> Answer:
    """Answer a pair for the connection whose token signed the call."""

    def scope_of(grant: Grant) -> str:
        _check_tenant_type(call, grant)
        scope = asked_scope(xero, call)
        if xero.refresh_scope not in scope.split(" "):
            raise _error("invalid_scope", f"scope must contain {xero.refresh_scope}")
        return scope

    pair, tenant_id = win(xero, call, scope_of)
    document = {
        "access_token": xero.sign(pair),
        "refresh_token": pair.refresh_token,
        "expires_in": str(xero.access_lifetime),  # a string here, unlike at /connect/token
        "token_type": "Bearer",
        "xero_tenant_id": tenant_id,
    }
    return Answer.of_json(200, document, NO_STORE)


def win(xero: Xero, call: Call, scope_of: Callable[[Grant], str]) -> tuple[Pair, str]:
    """The pair of a swap, and the tenant's id.

    The signature is checked first, then the token, then what is asked for, which ``scope_of`` reads or
    refuses: who is not known learns nothing.
    """
    now = xero.clock.now()

    def swap(db: sqlite3.Connection, grant: Grant) -> tuple[Pair, str]:
        require_partner(grant)
        require_alive(grant)
        if grant.expired(now):
            raise _errors(401, "The access token has expired")
        return _swap(xero, db, grant, scope_of(grant), now), grant.tenant_id

    return in_one_transaction(xero, read(call), swap)


def asked_scope(xero: Xero, call: Call) -> str:
    """The scope that is asked for, once the rest of the body is found right."""
    if call.media_type != JSON:
        raise _errors(415, f"The body must be {JSON}")
    body = json_object(call.body)
    if body is None:
        raise _error("invalid_request", "The body is not a JSON object")
    client_id, client_secret, scope = (body.get(name) for name in ("client_id", "client_secret", "scope"))
    if not secret_valid(xero.credentials, client_id, client_secret):
        raise _error("invalid_client", "The client_id or client_secret is wrong")
    if not isinstance(scope, str) or not SCOPE.fullmatch(scope):
        raise _error("invalid_scope", "scope must be a string of scopes, separated by single spaces")
    return scope


def _swap(xero: Xero, db: sqlite3.Connection, grant: Grant, scope: str, now: float) -> Pair:
    if xero.repeat.refuses(grant.swaps):
        raise _errors(400, "The connection has been migrated already")
    too_many = xero.too_many_connected(db, {grant.tenant_id})
    if too_many:
        raise _errors(403, too_many)
    swaps.record(db, grant.connection_id, xero.repeat)
    tenants.connect(db, grant.user_id, grant.tenant_id, now, auth_event_id=None)
    return xero.issue(
        db,
        connection_id=grant.connection_id,
        user_id=grant.user_id,
        client_id=xero.credentials.client_id,
        scope=scope,
        event=AuthEvent(str(uuid.uuid4()), now),
        now=now,
    )


def _check_tenant_type(call: Call, grant: Grant) -> None:
    tenant_type = _tenant_type(call)
    if tenant_type not in TENANT_TYPES:
        raise _errors(400, f"tenantType must be {' or '.join(TENANT_TYPES)}")
    if tenant_type != grant.tenant_type:
        raise _errors(400, f"The token is for tenantType {grant.tenant_type}, not {tenant_type}")


def _tenant_type(call: Call) -> str:
    """The query names it; one public client puts it into a header instead, one omits it."""
    for name, value in form_fields(call.query):
        if name == "tenantType":
            return value
    return call.headers.get("tenanttype", "ORGANISATION")


def _error(word: str, description: str) -> Refusal:
    return Refusal(Answer.of_json(400, {"error": word, "error_description": description}))


def _errors(status: int, message: str) -> Refusal:
    return Refusal(Answer.of_json(status, {"errors": [message]}))
