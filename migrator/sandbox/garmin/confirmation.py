"""``/oauth2Confirm``: the user lets the application in, or cancels. There is nothing to choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.oauth2 import authorisation_request, codes
from migrator.sandbox.pages import log_in, rendering
from migrator.sandbox.state import portal, tenants

if TYPE_CHECKING:
    from migrator.sandbox.garmin.provider import Garmin
    from migrator.sandbox.http.messages import Answer, Call
    from migrator.sandbox.oauth2.authorisation_request import AuthorisationRequest
    from migrator.sandbox.pages.log_in import Visitor
    from migrator.sandbox.state.users import User


def confirm(garmin: Garmin, call: Call) -> Answer:
    """Answer the next page, or the way back to the application."""
    uris = portal.redirect_uris(garmin.state)
    request = authorisation_request.read(call, garmin.credentials, uris, scoped=False, always_pkce=True)
    visitor = log_in.visitor(garmin, call)
    if call.method != "POST":
        return _next_page(visitor)
    form = log_in.read_form(call, visitor)
    match form.get("action"):
        case "log-in":
            return log_in.log_in(garmin, call, visitor, form)
        case "log-out":
            return log_in.log_out(garmin, call, visitor)
        case "allow" if visitor.user is not None:
            return _allow(garmin, request, visitor, visitor.user)
        case "cancel" if visitor.user is not None:
            return request.back(error="access_denied", error_description="The user cancelled")
        case _:
            return _next_page(visitor)


def _next_page(visitor: Visitor) -> Answer:
    if visitor.user is None:
        return log_in.page(visitor)
    facts = {
        "user": visitor.user,
        "tenants": (),
        "several": False,
        "scope": (),
        "csrf": visitor.csrf,
        "flaw": "",
    }
    return rendering.page("choose", facts)


def _allow(garmin: Garmin, request: AuthorisationRequest, visitor: Visitor, user: User) -> Answer:
    with garmin.state.writing() as db:
        code = codes.issue(
            db,
            request,
            user_id=user.user_id,
            tenant_ids=[tenant.tenant_id for tenant in tenants.of_user(db, user.user_id)],
            event=codes.new_event(visitor.logged_in_at),
            now=garmin.clock.now(),
        )
    return request.back(code=code)
