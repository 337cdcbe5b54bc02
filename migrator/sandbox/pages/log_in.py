"""Who is at the browser: log-in, its cookie, and the forms that only our own pages may send."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from migrator.sandbox.http.forms import form_fields
from migrator.sandbox.http.messages import FORM, Answer, Call
from migrator.sandbox.pages import rendering
from migrator.sandbox.state import users
from migrator.sandbox.state.users import User

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.provider import Provider
    from migrator.sandbox.state.portal import Credentials

COOKIE = "sandbox_session"
SESSION_LIFETIME = 12 * 3600
"""Seconds that a log-in is remembered, on the sandbox's clock."""


@dataclass(frozen=True)
class Visitor:
    """Whoever sent a call from a browser."""

    session: str
    """What the cookie says, or will say."""
    csrf: str
    """What a form must say to come from a page that we gave this visitor."""
    user: User | None
    """None: not logged in."""
    logged_in_at: float

    @property
    def cookie(self) -> str:
        """The ``Set-Cookie`` that makes the browser remember."""
        return f"{COOKIE}={self.session}; Path=/; HttpOnly; SameSite=Lax"


@dataclass(frozen=True)
class Form:
    """A form that one of our pages sent."""

    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """The field's value, empty if there is none."""
        return next((value for field, value in self.fields if field == name), "")

    def all(self, name: str) -> list[str]:
        """The values of all fields of this name."""
        return [value for field, value in self.fields if field == name]


def visitor(provider: Provider, call: Call) -> Visitor:
    """Who it is, by the cookie; who has none gets one."""
    session = _cookie(call)
    with provider.state.reading() as db:
        row = db.execute(
            "SELECT * FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ? AND logged_in_at > ?",
            (session or "", provider.clock.now() - SESSION_LIFETIME),
        ).fetchone()
    if row is None:
        return _visitor(provider.credentials, session or secrets.token_urlsafe(24), None, 0.0)
    return _visitor(provider.credentials, row["id"], User(row["user_id"], row["email"]), row["logged_in_at"])


def read_form(call: Call, visitor: Visitor) -> Form:
    """The form of a POST; raises ``Refusal`` for one that comes from a page that we did not give."""
    if call.media_type != FORM:
        raise rendering.error_page("That is no form", "The browser sent something else than a form.", 415)
    form = Form(tuple(form_fields(call.body)))
    if not hmac.compare_digest(form.get("csrf").encode(errors="replace"), visitor.csrf.encode()):
        message = "This form was made for another visit. Go back to the application and begin again."
        raise rendering.error_page("The form is out of date", message, 403)
    return form


def page(visitor: Visitor, *, email: str = "", flaw: str = "") -> Answer:
    """The log-in page."""
    facts = {"csrf": visitor.csrf, "email": email, "flaw": flaw}
    return rendering.page("log_in", facts, 400 if flaw else 200, visitor.cookie)


def log_in(provider: Provider, call: Call, visitor: Visitor, form: Form) -> Answer:
    """Log the visitor in under a new cookie, and go on where they were."""
    email = form.get("email").strip()
    if not users.is_address(email):
        return page(visitor, email=email, flaw="That is not an e-mail address.")
    with provider.state.writing() as db:
        user = users.get_or_add(db, email, provider.tenant_type)
        session, now = secrets.token_urlsafe(24), provider.clock.now()
        db.execute("INSERT INTO sessions VALUES (?, ?, ?)", (session, user.user_id, now))
        _forget(db, visitor)
    return _again(call, _visitor(provider.credentials, session, user, now))


def log_out(provider: Provider, call: Call, visitor: Visitor) -> Answer:
    """Forget the log-in, and ask again."""
    with provider.state.writing() as db:
        _forget(db, visitor)
    return _again(call, _visitor(provider.credentials, secrets.token_urlsafe(24), None, 0.0))


def _again(call: Call, visitor: Visitor) -> Answer:
    return Answer.redirect(call.target.decode("latin-1"), {"Set-Cookie": visitor.cookie})


def _forget(db: sqlite3.Connection, visitor: Visitor) -> None:
    db.execute("DELETE FROM sessions WHERE id = ?", (visitor.session,))


def _visitor(credentials: Credentials, session: str, user: User | None, logged_in_at: float) -> Visitor:
    key = hashlib.sha256(f"csrf {credentials.jwt_key}".encode()).digest()
    csrf = hmac.new(key, session.encode(errors="replace"), hashlib.sha256).hexdigest()
    return Visitor(session, csrf, user, logged_in_at)


def _cookie(call: Call) -> str | None:
    try:
        morsel = SimpleCookie(call.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    # Only what we could have given: it comes back in a header.
    return morsel.value if morsel and morsel.value.replace("-", "").replace("_", "").isalnum() else None
