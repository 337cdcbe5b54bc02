"""The words of a profile that decide: what a provider does to tokens, and what its refusals mean."""

from __future__ import annotations

from enum import StrEnum


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
