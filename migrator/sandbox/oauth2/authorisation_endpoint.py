"""The authorisation endpoint: the user lets the application at some organisations, or cancels.

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

    from migrator.sandbox.oauth2.authorisation_request import AuthorisationRequest
    from migrator.sandbox.oauth2.authorisation_server import AuthorisationServer
    from migrator.sandbox.pages.log_in import Form, Visitor
    from migrator.sandbox.state.pairs import AuthEvent
    from migrator.sandbox.state.users import User

_CHOOSE = "Choose at least one organisation, or cancel."


def authorise(server: AuthorisationServer, call: Call) -> Answer:
    """Answer the next page, or the way back to the application."""
    request = authorisation_request.read(call, server.credentials, portal.redirect_uris(server.state))
    visitor = log_in.visitor(server, call)
    if call.method != "POST":
        return _next_page(server, request, visitor)
    form = log_in.read_form(call, visitor)
    match form.get("action"):
        case "log-in":
            return log_in.log_in(server, call, visitor, form)
        case "log-out":
            return log_in.log_out(server, call, visitor)
        case "allow" if visitor.user is not None:
            return _allow(server, request, visitor, visitor.user, form)
        case "cancel" if visitor.user is not None:
            return request.back(error="access_denied", error_description="The user cancelled")
        case _:
            return _next_page(server, request, visitor)


def _next_page(
    server: AuthorisationServer, request: AuthorisationRequest, visitor: Visitor, flaw: str = ""
) -> Answer:
    if visitor.user is None:
        return log_in.page(visitor)
    with server.state.reading() as db:
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
    server: AuthorisationServer, request: AuthorisationRequest, visitor: Visitor, user: User, form: Form
) -> Answer:
    with server.state.writing() as db:
        concerned = _connect(server, db, visitor, user, set(form.all("organisation")))
        if concerned is not None:
            tenant_ids, event = concerned
            now = server.clock.now()
            code = codes.issue(db, request, user_id=user.user_id, tenant_ids=tenant_ids, event=event, now=now)
    if concerned is None:
        return _next_page(server, request, visitor, _CHOOSE)
    return request.back(code=code)


def _connect(
    server: AuthorisationServer, db: sqlite3.Connection, visitor: Visitor, user: User, wanted: set[str]
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
    too_many = server.too_many_connected(db, set(chosen))
    if too_many:
        raise rendering.error_page("Too many connections", too_many, 403)
    event = codes.new_event(visitor.logged_in_at)
    for tenant_id in chosen:
        tenants.connect(db, user.user_id, tenant_id, server.clock.now(), event.id)
    return chosen, event
