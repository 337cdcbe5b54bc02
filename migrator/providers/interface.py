"""What a provider is to the rest of the house: sans I/O.

A profile builds requests and reads answers; it never sends one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from migrator.models import (
    NO_REFRESH_TOKEN,
    Credentials,
    LegacyToken,
    Secret,
    State,
    Tenant,
    TokenPair,
)
from migrator.providers import bodies

# --- what to send ---


@dataclass(frozen=True)
class Signed:
    """Authenticate with an OAuth 1.0a ``Authorization`` header (RFC 5849, 3.5.1)."""

    legacy: LegacyToken
    credentials: Credentials
    """Those of the application that the token was issued to."""
    parameters: Mapping[str, Secret] = field(default_factory=dict)
    """Further ``oauth_`` parameters; they are signed like the rest, and stand beside them."""
    in_query: bool = False
    """Whether all of it stands in the URL's query (RFC 5849, 3.5.3), and not in a header."""


@dataclass(frozen=True)
class Bearer:
    """Authenticate with an access token (RFC 6750, 2.1)."""

    access_token: Secret


@dataclass(frozen=True)
class Basic:
    """Authenticate the client with its id and secret (RFC 6749, 2.3.1)."""

    credentials: Credentials


@dataclass(frozen=True)
class ApplicationBearer:
    """Authenticate with an access token of the application's own (RFC 6749, 4.4), which is fetched first."""


@dataclass(frozen=True)
class Unauthenticated:
    """What the call holds says who makes it."""


Authentication = Signed | Bearer | Basic | ApplicationBearer | Unauthenticated
Body = Mapping[str, "str | Secret"]


@dataclass(frozen=True)
class Request:
    """One call, before it is signed."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    url: str | Secret
    """A secret where a token is a part of it: URLs end up in logs."""
    auth: Authentication
    json: Body | None = None
    form: Body | None = None
    body: str | Secret = ""
    """A body that is neither."""
    headers: Body = field(default_factory=dict)
    """Beside those that every call has."""


# --- what came back ---


@dataclass(frozen=True)
class Answer:
    """An HTTP answer that arrived whole."""

    status: int
    headers: Mapping[str, str]
    """Case-insensitive."""
    body: bytes = field(repr=False)
    received_at: datetime
    delimited: bool = True
    """Whether the server said where the body ends (RFC 9112, 6.3).

    If not, a body that was cut off looks like one that ended; where its form does not tell, nobody knows.
    """
    refused: frozenset[str] = field(default=frozenset(), repr=False)
    """Refresh tokens that were taken from it before, and that the provider refused: another may be meant."""

    # Many rules look at one answer: it is read once for all of them.

    @cached_property
    def document(self) -> Any:
        """The body as JSON, or None; to be read, and not changed."""
        return bodies.json_of(self.body)

    @cached_property
    def text(self) -> str:
        """The body as a text, whatever it is."""
        return self.body.decode("utf-8", "replace")

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The body as form fields, whatever its content type says; nothing if it is not a form."""
        return bodies.form_of(self.body)


UNSENDABLE = "unsendable"
"""The ``NoAnswer.problem`` of a call that cannot be written down as HTTP: what its row says has line
ends where none can be, or is no text.
"""


@dataclass(frozen=True)
class NoAnswer:
    """No answer, or only a part of one."""

    sent: bool
    """Whether any byte of the request may have left; if not, the call had no effect for certain."""
    problem: str
    """A short stable word: ``connection_refused``, ``no_answer``, ``timeout``, …"""
    part: Answer | None = field(default=None, repr=False)
    """What had arrived when it broke off, if anything: it may hold what was asked for, whole."""


# --- what it means ---


@dataclass(frozen=True)
class Won:
    """An OAuth 2.0 pair."""

    pair: TokenPair
    whole: bool = True
    """Whether the answer has the form of RFC 6749, 5.1, but for the lifetime, which that only recommends; if
    not, only the pair's use tells whether it was understood.
    """
    ends: datetime | None = None
    """When the access token ends, where the pair says that it has ended already, as its refresh token may not
    be the right one: it has another name than it should have, or may have been cut off. Only a refresh shows
    that.
    """
    sole: bool = True
    """Whether nothing else in the answer may be its refresh token."""


@dataclass(frozen=True)
class NoRefreshToken:
    """An access token with no refresh token: it works until it ends, and nothing comes after it."""

    pair: TokenPair
    """Its refresh token is empty."""
    hint: str
    problem: str = NO_REFRESH_TOKEN


@dataclass(frozen=True)
class Renewed:
    """A new OAuth 1.0a token in the place of the old one."""

    legacy: LegacyToken
    whole: bool = True
    """Whether it is known to stand there whole; if not, only its use tells."""


@dataclass(frozen=True)
class Reached:
    """The access token works and reaches these tenants."""

    tenants: tuple[Tenant, ...]
    chosen: tuple[Tenant, ...] = ()
    """Those that its user connected in the very consent that it comes from; empty where nobody can tell."""


@dataclass(frozen=True)
class Revoked:
    """The provider takes the pair no more."""


@dataclass(frozen=True)
class Identified:
    """Whose the legacy token is."""

    user_id: str


@dataclass(frozen=True)
class Disabled:
    """The legacy token was ended."""


@dataclass(frozen=True)
class RenewFirst:
    """The legacy token has expired."""

    problem: str


RATE_LIMITED = "rate_limited"
"""The ``Later.problem`` of a provider that is well and merely asks for patience."""


@dataclass(frozen=True)
class Later:
    """Without effect; worth trying again."""

    problem: str
    after: timedelta | None = None
    """How long the provider asked to wait; None where it did not say."""
    scope: Literal["connection", "app"] = "connection"
    """Whom the wait is for."""
    limit: str = ""
    """What the answer calls the limit that was reached (``Limit.name``); empty if it does not say."""


@dataclass(frozen=True)
class Over:
    """This connection is over; asking again would not help."""

    state: Literal[State.NEEDS_CONSENT, State.FAILED]
    reason: str
    problem: str
    refused: bool = False
    """Whether the provider refused the token itself.

    After an unknown call that means that the call took effect.
    """
    by_status_alone: bool = False
    """Whether nothing but the status says so: wrong credentials of the application may be answered alike."""


@dataclass(frozen=True)
class Suspect:
    """Either this connection's credentials are wrong or everybody's: one answer alone cannot tell."""

    problem: str
    hint: str


@dataclass(frozen=True)
class StopAll:
    """Every connection would get this answer."""

    problem: str
    hint: str
    closed: bool = False
    """Whether the provider has closed the endpoint."""


@dataclass(frozen=True)
class Unknown:
    """Sent, and nobody knows whether it took effect."""

    problem: str
    hint: str = ""
    """What to do, where the answer is nothing of the provider's, so that everybody would get it."""


Outcome = (
    Won
    | NoRefreshToken
    | Renewed
    | Reached
    | Revoked
    | Identified
    | Disabled
    | RenewFirst
    | Later
    | Over
    | Suspect
    | StopAll
    | Unknown
)
