"""``/identity/connect/authorize``: the user lets the application at some organisations, or cancels.

Allowing connects the organisations at once, whether or not the application then comes for its pair: who
begins again finds them connected already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.oauth2 import authorisation_request, codes
from migrator.sandbox.pages import log_in, rendering
from migrator.sandbox.state import portal, tenants

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.oauth2.access_tokens import AuthEvent
    from migrator.sandbox.oauth2.authorisation_request import AuthorisationRequest
    from migrator.sandbox.pages.log_in import Form, Visitor
    from migrator.sandbox.provider import Provider
    from migrator.sandbox.state.users import User

_CHOOSE = "Choose at least one organisation, or cancel."


def authorise(provider: Provider, call: Call) -> Answer:
    """Answer the next page, or the way back to the application."""
    request = authorisation_request.read(call, provider.credentials, portal.redirect_uris(provider.state))
    visitor = log_in.visitor(provider, call)
    if call.method != "POST":
        return _next_page(provider, request, visitor)
    form = log_in.read_form(call, visitor)
    match form.get("action"):
        case "log-in":
            return log_in.log_in(provider, call, visitor, form)
        case "log-out":
            return log_in.log_out(provider, call, visitor)
        case "allow" if visitor.user is not None:
            return _allow(provider, request, visitor, visitor.user, form)
        case "cancel" if visitor.user is not None:
            return request.back(error="access_denied", error_description="The user cancelled")
        case _:
            return _next_page(provider, request, visitor)


def _next_page(provider: Provider, request: AuthorisationRequest, visitor: Visitor, flaw: str = "") -> Answer:
    if visitor.user is None:
        return log_in.page(visitor)
    with provider.state.reading() as db:
        owned = tenants.of_user(db, visitor.user.user_id)
    facts = {
        "user": visitor.user,
        "tenants": owned,
        "several": True,
        "scope": request.scope.split(),
        "csrf": visitor.csrf,
        "flaw": flaw,
    }
    return rendering.page("choose", facts, 400 if flaw else 200)


def _allow(
    provider: Provider, request: AuthorisationRequest, visitor: Visitor, user: User, form: Form
) -> Answer:
    with provider.state.writing() as db:
        concerned = _connect(provider, db, visitor, user, set(form.all("organisation")))
        if concerned is not None:
            tenant_ids, event = concerned
            now = provider.clock.now()
            code = codes.issue(db, request, user_id=user.user_id, tenant_ids=tenant_ids, event=event, now=now)
    if concerned is None:
        return _next_page(provider, request, visitor, _CHOOSE)
    return request.back(code=code)


def _connect(
    provider: Provider, db: sqlite3.Connection, visitor: Visitor, user: User, wanted: set[str]
) -> tuple[list[str], AuthEvent] | None:
    """Connect what was ticked; gives the tenants that the consent is about, or None if there is none.

    Where nothing was ticked they are those that are connected already.
    """
    owned = tenants.of_user(db, user.user_id)
    chosen = [tenant.tenant_id for tenant in owned if tenant.tenant_id in wanted]
    if len(chosen) != len(wanted):
        return None
    if not chosen:
        connected = [tenant.tenant_id for tenant in owned if tenant.connected]
        return (connected, codes.new_event(visitor.logged_in_at)) if connected else None
    if not provider.certified and tenants.exceeds_limit(db, set(chosen)):
        raise rendering.error_page("Too many connections", tenants.LIMIT_REACHED, 403)
    event = codes.new_event(visitor.logged_in_at)
    for tenant_id in chosen:
        tenants.connect(db, user.user_id, tenant_id, provider.clock.now(), event.id)
    return chosen, event
