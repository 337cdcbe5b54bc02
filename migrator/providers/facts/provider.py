"""All that a profile says of its provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from migrator.models import Action
from migrator.providers.facts.answers import AccountAnswer, LegacyAnswer, TenantsAnswer
from migrator.providers.facts.calls import CallFacts, ErrorRule
from migrator.providers.facts.limits import Limit, WaitFacts
from migrator.providers.facts.vocabulary import ClientStyle, LegacyFate, RenewalRule, Repeat
from migrator.row_rules import Column

_FORM = LegacyAnswer()
_RETRY_AFTER = WaitFacts()


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
class Renewal:
    """How legacy tokens are renewed."""

    rule: RenewalRule = RenewalRule.NEVER
    needs_handle: bool = False
    """Whether only a token with a session handle can be."""
    window: timedelta = timedelta(0)
    """How long before its end it can be, with ``RenewalRule.WINDOW``."""
    ahead: timedelta = timedelta(minutes=1)
    """A token that ends this soon is renewed before it is used."""
    answer: LegacyAnswer = _FORM


_NO_RENEWAL = Renewal()


@dataclass(frozen=True)
class Consent:
    """How users authorise the application again (RFC 6749, 4.1)."""

    authorise_url: str
    pkce: Literal["required", "optional"] = "optional"
    """For people: it is used in either case."""
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
    """For people."""
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
    app_types: Mapping[str, bool] = field(default_factory=dict)
    """Application types, and whether their tokens are swapped, or else their users must consent; empty where
    the provider has none.
    """
    columns: Mapping[str, Column] = field(default_factory=dict)
    """Columns that the calls use, beside those that every input has."""
    refresh_rotates: Literal["always", "sometimes", "never", "unknown"] = "unknown"
    """Whether a refresh gives a new refresh token, for people; with ``never`` its answer may have none."""
    grace: timedelta = timedelta(0)
    """How long a refresh token may be used again by who lost the answer, for people."""
    repeat: Repeat = Repeat.UNKNOWN
    repeat_source: str = ""
    legacy_fate: LegacyFate = LegacyFate.UNKNOWN
    legacy_days: int = 0
    """With ``DIES_AFTER``, for people."""
    legacy_source: str = ""
    legacy_user_before: str = ""
    """The legacy token begins with its user's id, which ends before this; empty if it does not."""
    renewal: Renewal = _NO_RENEWAL
    limits: tuple[Limit, ...] = ()
    wait: WaitFacts = _RETRY_AFTER
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

    @cached_property
    def errors_in_words(self) -> Mapping[Action, tuple[ErrorRule, ...]]:
        """The rules that look for words in an answer, by the call that it may answer."""
        return {
            action: tuple(
                rule for rule in self.errors if rule.where and (not rule.calls or action in rule.calls)
            )
            for action in Action
        }

    @property
    def refresh_end_is_unknown(self) -> bool:
        """Whether no answer and no document says when a refresh token ends that is not used."""
        answers = [call.answer for call in self.calls.values() if call.answer is not None]
        return all(answer.refresh_expires is None for answer in answers)
