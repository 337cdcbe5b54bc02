"""What a provider's profile says: frozen facts, as its TOML file gives them.

The guide *Writing a profile* has the same vocabulary for those who write one; each table of the file is a
class here. Durations are ``timedelta``, paths into an answer are names joined by dots.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal

from migrator.models import Action, Column


class Repeat(StrEnum):
    """What a second exchange of one legacy token does: what a lost answer means follows from it."""

    NEWEST_WINS = "newest_wins"
    """It gives a new pair and ends the one before."""
    BOTH_LIVE = "both_live"
    """It gives a new pair, and the one before lives on."""
    NEVER = "never"
    """There is none: the first one ends the legacy token. A pair whose answer was lost is gone."""
    ONCE_PER_USER = "once_per_user"
    """It is refused, whether the legacy token lives or not."""
    UNKNOWN = "unknown"
    """Nobody knows: a lost answer is asked for again, and the pair is seen to work before it counts."""


LifetimeForm = Literal["seconds", "epoch_seconds", "epoch_milliseconds", "iso_8601"]
"""How an answer says when a token ends: how long it lives, or the moment."""


class LegacyFate(StrEnum):
    """What becomes of the legacy token once it was exchanged."""

    LIVES = "lives"
    DIES = "dies"
    DIES_AFTER = "dies_after"
    """Some days later."""
    MUST_BE_DISABLED = "must_be_disabled"
    """Whoever exchanged it must end it, with the call ``disable``."""
    UNKNOWN = "unknown"


class RenewalRule(StrEnum):
    """When a legacy token can be renewed."""

    NEVER = "never"
    EXPIRED = "expired"
    """At any time, ended or not."""
    WINDOW = "window"
    """Only in a time before its end."""
    REFUSED = "refused"
    """Only once the provider has said that it has ended, and then once."""


class Auth(StrEnum):
    """How a call is authenticated."""

    OAUTH1 = "oauth1"
    """Signed with the legacy token (RFC 5849)."""
    CLIENT = "client"
    """As the client, in the way that ``[client]`` says (RFC 6749, 2.3)."""
    BEARER = "bearer"
    """With the connection's access token (RFC 6750)."""
    APPLICATION_BEARER = "application_bearer"
    """With an access token of the application's own (RFC 6749, 4.4)."""
    NONE = "none"


class ClientStyle(StrEnum):
    """How a client authenticates."""

    BASIC = "basic"
    FORM = "form"
    JSON = "json"
    CLIENT_ID = "client_id"
    """With its id alone, in the form."""
    NONE = "none"


@dataclass(frozen=True)
class Source:
    """Where facts were read."""

    title: str
    url: str = ""
    read: date | None = None
    """The day on which they were read there."""


@dataclass(frozen=True)
class Dated:
    """A day that a provider has named, and where."""

    day: date
    source: str = ""
    """Key of a ``Source``."""


@dataclass(frozen=True)
class Limit:
    """At most ``count`` calls in each window; or at most ``at_once`` calls under way together.

    Several hold together.
    """

    count: int = 0
    """0 where only ``at_once`` is limited."""
    window: timedelta = timedelta(0)
    calendar: bool = False
    """Whether the window begins with the minute, hour or day (UTC); else it slides."""
    at_once: int = 0
    """0 where it is not limited."""
    subject: Literal["application", "key", "tenant", "address"] = "application"
    """Whose calls are counted: those of the OAuth 2.0 application, of a consumer key, of one tenant, of this
    machine's address.
    """
    leave: float = 0.0
    """The share, from 0 to below 1, that the application's ordinary traffic needs."""
    shared: bool = False
    """Whether the application's ordinary traffic is counted, too: only then is anything left to it."""
    calls: frozenset[Action] = frozenset()
    """The calls that count; empty if all do."""
    name: str = ""
    """What an answer over the limit calls it; empty if nothing does."""
    remaining: str = ""
    """The header that says how many calls are left; empty if none does."""
    counts: Literal["window", "bucket", "unknown"] = "unknown"
    """What that header counts: calls left in the window, or tokens in a bucket that is refilled evenly."""
    source: str = ""


@dataclass(frozen=True)
class Lifetime:
    """How long a token lives: where the answer says so, and what holds where it does not."""

    field: str = ""
    """Path; empty if no answer says so."""
    form: LifetimeForm = "seconds"
    documented: timedelta | None = None
    """None: for ever, as far as anybody says."""


@dataclass(frozen=True)
class Name:
    """Where a user's id stands: one of these ways."""

    field: str = ""
    """Path in the answer."""
    claim: str = ""
    """Claim of the access token, where that is a JSON Web Token (RFC 7519)."""
    inside: str = ""
    """Path in the JSON text that ``field`` holds."""


@dataclass(frozen=True)
class TokenAnswer:
    """Where a good answer to a call that gives tokens has what: paths, each empty where there is none."""

    inside: str = ""
    """The envelope that all other paths begin in."""
    access_token: str = "access_token"  # noqa: S105 - a path
    refresh_token: str = "refresh_token"  # noqa: S105 - a path
    refresh_optional: bool = False
    """Whether some answers have no refresh token, and nothing is wrong with them."""
    token_type: str = "bearer"  # noqa: S105 - a word
    """What its field ``token_type`` must say, in whatever case; empty if nothing says it."""
    expires: Lifetime | None = None
    """None: the access token does not end."""
    refresh_expires: Lifetime | None = None
    scope: str = "scope"
    tenant_id: str = ""
    user: Name = Name()


@dataclass(frozen=True)
class LegacyAnswer:
    """Where a good answer to a renewal has the new legacy token: names of fields, of a form or of XML."""

    form: Literal["form", "xml", "json"] = "form"
    token: str = "oauth_token"  # noqa: S105 - a path
    token_secret: str = "oauth_token_secret"  # noqa: S105 - a path
    session_handle: str = "oauth_session_handle"
    expires: str = "oauth_expires_in"


@dataclass(frozen=True)
class AccountAnswer:
    """Where an answer names the one account that an access token reaches."""

    id: str
    name: str = ""


@dataclass(frozen=True)
class TenantsAnswer:
    """Where an answer lists the tenants that an access token reaches."""

    id: str
    items: str = ""
    """Path of the list; empty if the answer is the list."""
    type: str = ""
    name: str = ""
    consent: str = ""
    """Path of the consent that connected it."""
    consent_claim: str = ""
    """Claim of an access token that names its own consent."""


@dataclass(frozen=True)
class CallFacts:
    """One call. Texts may hold placeholders such as ``{refresh_token}``."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    url: str
    auth: Auth = Auth.NONE
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    json: Mapping[str, str] | None = None
    body: str = ""
    """A body that is neither, such as ``null``."""
    content_type: str = ""
    """In the place of the body's usual one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    oauth: Mapping[str, str] = field(default_factory=dict)
    """Further ``oauth_`` parameters of a signed call."""
    optional: frozenset[str] = frozenset()
    """Fields that are left out where they would be empty."""
    answer: TokenAnswer | None = None
    """Of a call that gives tokens."""
    source: str = ""


class Meaning(StrEnum):
    """What a refusal means."""

    TOKEN_DEAD = "token_dead"  # noqa: S105 - a word
    """The legacy or refresh token is worth nothing any more; only its user goes on."""
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a word
    """The legacy token has ended; it is renewed where that is possible."""
    ACCESS_TOKEN_REFUSED = "access_token_refused"  # noqa: S105 - a word
    """The access token is refused; its refresh token may still work."""
    ALREADY_EXCHANGED = "already_exchanged"
    """The token or its user was exchanged before."""
    LATER = "later"
    """Without effect, and worth trying again."""
    LIMIT = "limit"
    """A limit was reached."""
    APPLICATION = "application"
    """The application is at fault: everybody gets the answer."""
    REQUEST = "request"
    """The call is at fault: everybody gets the answer."""
    CLOSED = "closed"
    """The endpoint is closed: everybody gets the answer."""
    CLOCK = "clock"
    """This machine's clock is off."""
    SUSPECT = "suspect"
    """The connection or the application is at fault; one answer cannot tell."""
    UNKNOWN = "unknown"
    """Nobody knows whether the call took effect."""


@dataclass(frozen=True)
class ErrorRule:
    """What answers of one kind mean. Of several that match the first holds."""

    means: Meaning
    calls: frozenset[Action] = frozenset()
    """Empty: all."""
    status: tuple[int, ...] = ()
    """Empty: any, but a good one only where a field is named, too."""
    where: Literal["", "json", "form", "xml", "header", "text"] = ""
    path: str = ""
    """The field or header that is looked at; empty with ``text``, which is the whole body."""
    equals: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    """Either is compared in whatever case; with neither, the field need only be there."""
    problem: str = ""
    """A short stable word for the ledger; empty: what the field says."""
    reason: str = ""
    """The ledger's reason, where a user must go on."""
    hint: str = ""
    """What to do."""
    scope: Literal["connection", "application"] = "application"
    """Whom a limit is of."""


@dataclass(frozen=True)
class WaitFacts:
    """How an answer over a limit tells how long to wait, beside ``Retry-After`` (RFC 9110, 10.2.3)."""

    epoch_header: str = ""
    """A header with the moment from which on calls pass again, in epoch seconds."""
    field: str = ""
    """Path of a field with seconds."""
    limit_header: str = ""
    """A header that names the limit: see ``Limit.name``."""


@dataclass(frozen=True)
class Renewal:
    """How legacy tokens are renewed."""

    rule: RenewalRule = RenewalRule.NEVER
    needs_handle: bool = False
    """Whether only a token with a session handle can be."""
    window: timedelta = timedelta(0)
    """How long before its end it can be, with ``RenewalRule.WINDOW``."""
    ahead: timedelta = timedelta(minutes=1)
    """A token that ends this soon is renewed before it is used."""
    answer: LegacyAnswer = LegacyAnswer()


@dataclass(frozen=True)
class Consent:
    """How users authorise the application again (RFC 6749, 4.1)."""

    authorise_url: str
    pkce: Literal["required", "optional"] = "optional"
    scopes: Mapping[str, str] = field(default_factory=dict)
    """What a scope allows, for the user who grants it."""
    source: str = ""


@dataclass(frozen=True)
class Advice:
    """What the plan says from so many connections on."""

    text: str
    connections: int = 0


@dataclass(frozen=True)
class Facts:
    """All that a profile says of its provider."""

    name: str
    title: str
    calls: Mapping[Action, CallFacts]
    """``SWAP`` is always there; any other call only where the provider has it."""
    application_token: CallFacts | None = None
    """The call that gives the application an access token of its own."""
    sources: Mapping[str, Source] = field(default_factory=dict)
    open_since: Dated | None = None
    closes: Dated | None = None
    """Until when the exchange is open; a day that is over means that it is closed."""
    legacy_ends: Dated | None = None
    """When the provider ends OAuth 1.0a."""
    before: tuple[str, ...] = ()
    """What must have been done before the first call: a check-list for people."""
    unknown: tuple[str, ...] = ()
    """What nobody knows of the provider, for people."""
    signature_methods: tuple[str, ...] = ("HMAC-SHA1",)
    signature_in: Literal["header", "query"] = "header"
    client: ClientStyle = ClientStyle.BASIC
    client_public: bool = False
    """Whether a client without a secret may ask, with its id alone."""
    client_is_consumer: bool = False
    """Whether the OAuth 2.0 client id is the consumer key."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of every call."""
    token_secret: bool = True
    """Whether legacy tokens have a secret."""
    app_types: Mapping[str, Literal["swap", "consent"]] = field(default_factory=dict)
    """Application types, and what becomes of their users; empty where the provider has none."""
    columns: Mapping[str, Column] = field(default_factory=dict)
    """Columns that the calls use, beside those that every input has."""
    refresh_rotates: Literal["always", "sometimes", "never", "unknown"] = "unknown"
    """Whether a refresh gives a new refresh token."""
    grace: timedelta = timedelta(0)
    """How long a refresh token may be used again by who lost the answer."""
    repeat: Repeat = Repeat.UNKNOWN
    repeat_source: str = ""
    legacy_fate: LegacyFate = LegacyFate.UNKNOWN
    legacy_days: int = 0
    """With ``DIES_AFTER``."""
    legacy_source: str = ""
    legacy_user_before: str = ""
    """The legacy token begins with its user's id, which ends before this; empty if it does not."""
    renewal: Renewal = Renewal()
    limits: tuple[Limit, ...] = ()
    wait: WaitFacts = WaitFacts()
    errors: tuple[ErrorRule, ...] = ()
    support_id: str = ""
    """Header, or ``json:`` and a path, of what the provider's support asks for."""
    account: AccountAnswer | None = None
    """What a verification is answered with where a token reaches one account."""
    tenants: TenantsAnswer | None = None
    """And where it reaches tenants. With neither, a good answer is enough."""
    verify_billed: bool = False
    identify: str = ""
    """Path of the user's id in the answer to ``IDENTIFY``."""
    consent: Consent | None = None
    scope_needed: tuple[str, ...] = ()
    """Scopes that a pair must have."""
    no_refresh_token_hint: str = ""
    """What to do where an answer lacks the refresh token that it should have."""
    uncertified_limit: int | None = None
    """How many connections an application may hold that the provider has not certified."""
    advice: tuple[Advice, ...] = ()

    @property
    def refreshes(self) -> bool:
        """Whether pairs can be refreshed at all."""
        return Action.REFRESH in self.calls
