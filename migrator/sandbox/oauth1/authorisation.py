"""The authorisation endpoint: the user allows access to one organisation, or cancels (RFC 5849, 2.2).

On cancelling the callback gets ``oauth_problem=permission_denied``: the word of OAuth's extension *Problem
Reporting* for a user who refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from migrator.sandbox.http.forms import form_fields, with_query
from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.oauth1 import callbacks, request_tokens
from migrator.sandbox.oauth1.request_tokens import Verdict
from migrator.sandbox.pages import log_in, rendering
from migrator.sandbox.state import tenants

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.pages.log_in import Form, Visitor
    from migrator.sandbox.provider import Provider
    from migrator.sandbox.state.users import User

CallbackFields = Callable[[str], Mapping[str, str]]
"""What a provider adds to the callback's query, by the id of the organisation that the user allowed."""


def authorise(
    provider: Provider, call: Call, callback_fields: CallbackFields = lambda _tenant_id: {}
) -> Answer:
    """Answer the next page, or the way back to the application."""
    token = dict(form_fields(call.query)).get("oauth_token", "")
    with provider.state.reading() as db:
        _undecided(provider, db, token)
    visitor = log_in.visitor(provider, call)
    if call.method != "POST":
        return log_in.page(visitor) if visitor.user is None else _choice(provider, visitor, visitor.user)
    form = log_in.read_form(call, visitor)
    match form.get("action"):
        case "log-in":
            return log_in.log_in(provider, call, visitor, form)
        case "log-out":
            return log_in.log_out(provider, call, visitor)
        case "allow" if visitor.user is not None:
            return _allow(provider, visitor, visitor.user, token, form, callback_fields)
        case "cancel" if visitor.user is not None:
            return _cancel(provider, token)
        case _:
            return log_in.page(visitor)


def _undecided(provider: Provider, db: sqlite3.Connection, token: str) -> sqlite3.Row:
    row = request_tokens.undecided(db, token, provider.clock.now())
    if row is None:
        message = "The request token is unknown, expired, or was decided about before."
        raise rendering.error_page("This link does not work", message)
    return row


def _choice(provider: Provider, visitor: Visitor, user: User, flaw: str = "") -> Answer:
    with provider.state.reading() as db:
        owned = tenants.of_user(db, user.user_id)
    facts = {
        "user": user,
        "tenants": owned,
        "several": False,
        "scope": [],
        "csrf": visitor.csrf,
        "flaw": flaw,
    }
    return rendering.page("choose", facts, 400 if flaw else 200)


def _allow(
    provider: Provider,
    visitor: Visitor,
    user: User,
    token: str,
    form: Form,
    callback_fields: CallbackFields,
) -> Answer:
    wanted = form.all("organisation")
    with provider.state.writing() as db:
        row = _undecided(provider, db, token)
        chosen = [tenant for tenant in tenants.of_user(db, user.user_id) if tenant.tenant_id in wanted]
        if len(chosen) == len(wanted) == 1:
            verifier = request_tokens.allow(db, row, user.user_id, chosen[0].tenant_id)
        else:
            verifier = ""
    if not verifier:
        return _choice(provider, visitor, user, "Choose one organisation, or cancel.")
    if row["callback"] == callbacks.OUT_OF_BAND:
        return rendering.page("verifier", {"verifier": verifier})
    fields = {"oauth_token": token, "oauth_verifier": verifier}
    return Answer.redirect(with_query(row["callback"], {**fields, **callback_fields(chosen[0].tenant_id)}))


def _cancel(provider: Provider, token: str) -> Answer:
    with provider.state.writing() as db:
        row = _undecided(provider, db, token)
        request_tokens.close(db, token, Verdict.REFUSED)
    if row["callback"] == callbacks.OUT_OF_BAND:
        return rendering.page("message", {"heading": "Refused", "message": "The application gets no access."})
    fields = {"oauth_token": token, "oauth_problem": "permission_denied"}
    return Answer.redirect(with_query(row["callback"], fields))
