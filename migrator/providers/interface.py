"""What a provider is to the rest of the house: sans I/O.

A profile builds requests and reads answers; it never sends one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from migrator.models import (
    NO_REFRESH_TOKEN,
    Action,
    Credentials,
    LegacyToken,
    Secret,
    State,
    Tenant,
    TenantType,
    TokenPair,
)
from migrator.providers.facts import Limit

# --- what to send ---


@dataclass(frozen=True)
class Signed:
    """Authenticate with an OAuth 1.0a ``Authorization`` header (RFC 5849, 3.5.1)."""

    legacy: LegacyToken
    parameters: Mapping[str, Secret] = field(default_factory=dict)
    """Further ``oauth_`` parameters for the header; they are signed like the rest."""


@dataclass(frozen=True)
class Bearer:
    """Authenticate with an access token (RFC 6750, 2.1)."""

    access_token: Secret


@dataclass(frozen=True)
class Basic:
    """Authenticate the client with its id and secret (RFC 6749, 2.3.1)."""

    credentials: Credentials


@dataclass(frozen=True)
class Code:
    """Exchange an authorisation code (RFC 6749, 4.1.3), by the client that can prove that it asked for it
    (RFC 7636).
    """

    code: Secret
    verifier: Secret
    redirect_uri: str
    """The very one that the code was asked for with."""
    credentials: Credentials


Body = Mapping[str, "str | Secret"]


@dataclass(frozen=True)
class Request:
    """One call, before it is signed. Its URL never holds a secret: URLs end up in logs."""

    method: Literal["GET", "POST"]
    url: str
    auth: Signed | Bearer | Basic | Code
    json: Body | None = None
    form: Body | None = None


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
    | RenewFirst
    | Later
    | Over
    | Suspect
    | StopAll
    | Unknown
)


class Profile(Protocol):
    """One provider: its endpoints, what it says, and what that means."""

    @property
    def name(self) -> str:
        """The name in ``migrator.toml``."""

    @property
    def title(self) -> str:
        """The name for people."""

    @property
    def promises(self) -> Mapping[str, str]:
        """What the provider promises and what is unknown, for ``migrator providers``: topic to sentence."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The provider's own limits; all hold together."""

    @property
    def swap_calls(self) -> tuple[Action, ...]:
        """The calls that one swap takes, such as ``IDENTIFY`` before it, or ``DISABLE`` after it."""

    @property
    def uncertified_limit(self) -> int | None:
        """How many connections an uncertified application may hold, or None where there is no such limit."""

    @property
    def assessment_from(self) -> int | None:
        """From how many connections on the provider demands an advanced security assessment, or None."""

    @property
    def authorise_url(self) -> str:
        """Where a user authorises the application (RFC 6749, 3.1)."""

    @property
    def scopes(self) -> Mapping[str, str]:
        """What a scope allows, for the user who grants it: scope to a phrase."""

    def swap(self, legacy: LegacyToken, tenant_type: TenantType, credentials: Credentials) -> Request:
        """Exchange a legacy token for a pair."""

    def renew(self, legacy: LegacyToken) -> Request:
        """Renew a legacy token that has a session handle."""

    def verify(self, access_token: Secret) -> Request:
        """Ask which tenants an access token reaches."""

    def refresh(self, refresh_token: Secret, credentials: Credentials) -> Request:
        """Exchange a refresh token for a new pair."""

    def revoke(self, refresh_token: Secret, credentials: Credentials) -> Request:
        """Make a pair worthless (RFC 7009)."""

    def exchange(self, code: Code) -> Request:
        """Exchange an authorisation code for a pair."""

    def chosen(self, reached: Reached, access_token: Secret) -> Reached:
        """The same, with what was connected in the consent that the token was won by, if anything tells."""

    def remaining(self, answer: Answer) -> Mapping[int, int]:
        """How many calls are left, as far as the answer says: a limit's place in ``limits`` to calls."""

    def read(self, action: Action, answer: Answer | NoAnswer) -> Outcome:
        """What the answer to a call of this kind means. Total: there is no answer that it does not read."""
