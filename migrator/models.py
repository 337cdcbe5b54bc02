"""The nouns of the job: what a legacy connection is, what a pair is, and where a connection stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from migrator.secret import Secret as Secret  # noqa: PLC0414 - everybody knows it from here

Clock = Callable[[], datetime]
"""Tells the time, as an aware ``datetime`` in UTC. Passed in wherever time decides something."""


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


class State(StrEnum):
    """Where a connection stands; a stable name of the ledger."""

    PENDING = "pending"
    """Never sent, or known to have failed without effect."""
    IN_FLIGHT = "in_flight"
    """A call that may have an effect is under way, or its process died before it said how it ended."""
    MIGRATED = "migrated"
    """The stored pair works."""
    NEEDS_CONSENT = "needs_consent"
    """Only the user can go on, by authorising again."""
    UNCERTAIN = "uncertain"
    """Sent, and nobody knows yet what came of it."""
    FAILED = "failed"
    """Given up for now; ``resume --retry-failed`` tries again."""


RESPONSE_LOST = "response_lost"
"""A reason: a call was sent, its answer never came.

With ``needs_consent``: the call took effect, and its pair is gone.
"""
UNVERIFIED = "unverified_pair"
"""A reason: a pair is stored that was not won by the only call, and has not yet been seen to work."""
LIFETIME_ASSUMED = "lifetime_assumed"
"""A reason, with ``migrated``: the provider did not say how long its access token lives (RFC 6749, 5.1, only
recommends it), so what it documents is assumed. The pair was seen to work, where anybody can be asked.
"""
SCOPE_MISSING = "scope_missing"
"""A reason, with ``migrated``: the pair works, and was granted less than every pair should be."""
FAULTLESS = ("", LIFETIME_ASSUMED)
"""The reasons of a pair that works and is all that was asked for."""
NO_REFRESH_TOKEN = "no_refresh_token"  # noqa: S105 - a reason
"""A reason: the provider gave an access token without a refresh token, which nothing can come after."""


class Action(StrEnum):
    """A kind of call to the provider; a stable name of the ledger (``attempts.action``)."""

    RENEW = "renew"
    SWAP = "swap"
    VERIFY = "verify"
    REFRESH = "refresh"
    EXCHANGE_CODE = "exchange_code"
    REVOKE = "revoke"
    IDENTIFY = "identify"
    """Ask, with the legacy token, whose it is."""
    DISABLE = "disable"
    """End the legacy token, once the pair that came for it is stored."""


_NO_SECRET = Secret("")


@dataclass(frozen=True, init=False)
class LegacyToken:
    """What OAuth 1.0a calls token credentials (RFC 5849, 1.1), with the session handle that renews them."""

    token: Secret
    """``oauth_token``."""
    token_secret: Secret = _NO_SECRET
    """``oauth_token_secret``; empty where the source has none."""
    session_handle: Secret | None = None
    """``oauth_session_handle``; only tokens that are renewed by it have one."""
    expires_at: datetime | None = None
    """When the token ends (UTC), or None where the source does not say."""
    renewed: bool = False
    """Whether a renewal gave it."""

    def __init__(
        self,
        token: Secret,
        token_secret: Secret = _NO_SECRET,
        session_handle: Secret | None = None,
        expires_at: datetime | None = None,
        renewed: bool = False,
    ) -> None:
        # All fields at once: there are millions, and a frozen dataclass sets each with a call of its own.
        self.__dict__.update(
            token=token,
            token_secret=token_secret,
            session_handle=session_handle,
            expires_at=expires_at,
            renewed=renewed,
        )


@dataclass(frozen=True)
class Credentials:
    """What signs and authenticates calls: the applications' public halves with their secrets."""

    consumer_key: str
    signature_method: str
    consumer_secret: Secret
    """Empty with ``RSA-SHA1``, which does not use it."""
    private_key: Secret
    """PEM text; empty with ``HMAC-SHA1``."""
    client_id: str
    client_secret: Secret
    """Empty for a public client."""
    scopes: tuple[str, ...]
    redirect_uri: str = ""
    applications: Mapping[str, Credentials] = field(default_factory=dict)
    """Those of the other legacy applications, by consumer key, where several are moved."""

    @property
    def consumer_keys(self) -> frozenset[str]:
        """The legacy applications that there are secrets of."""
        return frozenset({self.consumer_key, *self.applications} - {""})

    def of(self, consumer_key: str) -> Credentials:
        """Those of the legacy application that a token was issued to; empty: the only one, or the first.

        Raises ``KeyError`` for one that is not configured, where any is: secrets are never mixed up.
        """
        first = consumer_key in ("", self.consumer_key) or not self.consumer_keys
        return self if first else self.applications[consumer_key]


@dataclass(frozen=True, init=False)
class Connection:
    """One legacy connection, as a row of a source describes it."""

    key: str | None
    """The user's own key (column ``connection_id``), or None."""
    app_type: str
    """The type of the OAuth 1.0a application that it was issued to; empty where the provider has no types."""
    legacy: LegacyToken
    organisation: str = ""
    tenant_id: str = ""
    tenant_type: str = ""
    """What kind of tenant it opens; empty where the provider has no kinds."""
    contact_email: str = ""
    consumer_key: str = ""
    """The legacy application that it was issued to; empty where there is only one."""
    further: Mapping[str, object] = field(default_factory=dict)
    """Columns that mean nothing to us: kept as they are, and out again in exports.

    They may hold anything, secrets too.
    """

    def __init__(
        self,
        key: str | None,
        app_type: str,
        legacy: LegacyToken,
        organisation: str = "",
        tenant_id: str = "",
        tenant_type: str = "",
        contact_email: str = "",
        consumer_key: str = "",
        further: Mapping[str, object] | None = None,
    ) -> None:
        # As in ``LegacyToken``.
        self.__dict__.update(
            key=key,
            app_type=app_type,
            legacy=legacy,
            organisation=organisation,
            tenant_id=tenant_id,
            tenant_type=tenant_type,
            contact_email=contact_email,
            consumer_key=consumer_key,
            further={} if further is None else further,
        )

    def __repr__(self) -> str:
        return f"Connection(key={self.key!r}, app_type={self.app_type!r}, organisation={self.organisation!r})"


@dataclass(frozen=True)
class Reject:
    """A row that cannot be used, and why. Never quotes the row: it may hold secrets."""

    source: str
    """The file as the user named it, ``-`` for standard input."""
    line: int
    """Line where the row begins, index of an array's element, or row number of a table; from 1."""
    reason: str
    """A short stable word.

    ``missing_token``, ``missing_secret``, ``unknown_app_type``, ``duplicate_token``, …
    """
    detail: str
    """One sentence for people."""


@dataclass(frozen=True)
class Misnamed:
    """A column that rows lack, and one of theirs that seems to be meant, and is kept as a further one."""

    source: str
    """As in ``Reject.source``."""
    column: str
    """What it should be called."""
    name: str
    """What it is called; like ours, and so no secret."""
    rows: int
    """How many rows have a value in it."""


@dataclass(frozen=True)
class TokenPair:
    """An OAuth 2.0 pair (RFC 6749, 5.1)."""

    access_token: Secret
    """Empty where the provider gave a refresh token alone: a refresh brings one."""
    refresh_token: Secret
    expires_at: datetime | None
    """When the access token ends (UTC), or None where it does not."""
    scope: str = ""
    """Space-separated, as the provider granted it; empty where the answer does not say."""
    tenant_id: str = ""
    """The tenant that the answer names, or empty."""
    user_id: str = ""
    """The user that the access token names, or empty; read, not trusted."""
    refresh_expires_at: datetime | None = None
    """When the refresh token ends if nobody uses it (UTC), or None where nobody says."""
    lifetime_assumed: bool = False
    """Whether the provider did not say when the access token ends, so that its documents had to."""

    def ended(self, now: datetime) -> bool:
        """Whether the access token has ended."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True)
class Tenant:
    """What an access token reaches."""

    id: str
    type: str = ""
    """As in ``tenant_type``; empty where the provider does not say."""
    name: str = ""
    """For people; empty where the provider does not say."""
    consent: str = ""
    """Which consent of its user connected it; empty where the provider does not say."""


@dataclass(frozen=True)
class StoredPair:
    """A pair in the ledger, with what is known of it."""

    id: int
    pair: TokenPair
    verified_at: datetime | None = None
    """When the provider was last seen to accept it (UTC), or None."""
    taken: bool = False
    """Whether an export took it: then it is the application's, and only the application may refresh it."""
    obtained_at: datetime | None = None
    """When it was stored (UTC)."""
    first_of_refresh: bool = False
    """Whether it was the first that was taken from the answer to a refresh or to a code's exchange."""

    @property
    def verified(self) -> bool:
        """Whether the provider has been seen to accept it since it was stored."""
        return self.verified_at is not None


@dataclass(frozen=True)
class Standing:
    """Where one connection stands in the ledger: all that decides what must happen to it next."""

    id: int
    key: str
    app_type: str
    state: State
    reason: str
    tenant_id: str
    tenant_type: str
    legacy: LegacyToken
    """The newest generation of its legacy token."""
    pair: StoredPair | None = None
    """The newest pair that is not known to be dead."""
    doubt: Action | None = None
    """The call that left the connection uncertain: nobody knows what came of it, or it was a verification
    whose access token was refused.
    """
    not_before: datetime | None = None
    """When it may be called for again (UTC)."""
    tries: int = 0
    """Calls in this run that ended without a result."""
    consented: bool = False
    """Whether what it has goes back to its user's consent, and not to a swap.

    Then nobody but the user chose the tenants that it reaches.
    """
    organisation: str = ""
    """What the legacy row calls its tenant."""
    confirmed: tuple[str, ...] = ()
    """Ids of tenants that its user has been told are called otherwise, before they chose once more."""
    user_id: str = ""
    """Its user's id at the provider, as far as it is known."""
    consumer_key: str = ""
    """The legacy application that its token was issued to; empty where there is only one."""
    row: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values by column that the provider's calls use, beside those above; they may be anything."""
    disabled: bool = False
    """Whether its legacy token was ended, after the swap."""

    @property
    def has_refresh_token(self) -> bool:
        """Whether its pair has a refresh token, whether or not we can use it."""
        return self.pair is not None and bool(self.pair.pair.refresh_token)
