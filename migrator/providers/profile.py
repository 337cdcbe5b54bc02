"""A provider, as its profile describes it: builds what is sent, and reads what comes back.

Total: there is no answer that it does not read. Sans I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from migrator.models import (
    Action,
    Secret,
    State,
    TokenPair,
)
from migrator.providers import (
    answers,
    application_answer,
    calls,
    echoes,
    legacy_response,
    reached,
    refusals,
    templates,
    token_response,
)
from migrator.providers.calls import Given
from migrator.providers.facts import Auth, CallFacts, ClientStyle, Facts, Limit, TokenAnswer
from migrator.providers.interface import (
    UNSENDABLE,
    Answer,
    Disabled,
    Identified,
    Later,
    NoAnswer,
    Outcome,
    Over,
    Reached,
    Request,
    Revoked,
    StopAll,
    Unknown,
    Won,
)
from migrator.row_rules import RowRules

_OF_PAIRS = (Action.SWAP, Action.REFRESH, Action.EXCHANGE_CODE)
"""Calls that are answered with a pair."""


@dataclass(frozen=True)
class Profile:
    """One provider: its endpoints, what it says, and what that means."""

    facts: Facts
    base_url: str = ""
    """Replaces scheme and host of every endpoint, if given."""

    @property
    def name(self) -> str:
        """The name in ``migrator.toml``."""
        return self.facts.name

    @property
    def title(self) -> str:
        """The name for people."""
        return self.facts.title

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The provider's limits."""
        return self.facts.limits

    @property
    def authorise_url(self) -> str:
        """Where a user authorises the application (RFC 6749, 3.1); empty where nobody can."""
        if self.facts.consent is None:
            return ""
        return calls.rebased(self.facts.consent.authorise_url, self.base_url)

    @property
    def scopes(self) -> Mapping[str, str]:
        """What a scope allows, for the user who grants it: scope to a phrase."""
        return self.facts.consent.scopes if self.facts.consent is not None else {}

    @property
    def swap_calls(self) -> tuple[Action, ...]:
        """The calls that one swap takes, in order."""
        answer = self.facts.calls[Action.SWAP].answer
        no_access_token = answer is not None and not answer.access_token
        return tuple(
            action
            for action, made in (
                (Action.IDENTIFY, self.has(Action.IDENTIFY)),
                (Action.SWAP, True),
                (Action.REFRESH, no_access_token),
                (Action.DISABLE, self.has(Action.DISABLE)),
            )
            if made
        )

    @property
    def swapped_types(self) -> tuple[str, ...]:
        """The application types whose tokens are swapped; empty where all are."""
        return tuple(name for name, swaps in self.facts.app_types.items() if swaps)

    def has(self, action: Action) -> bool:
        """Whether the provider has such a call."""
        return action in self.facts.calls

    def needs(self, actions: Iterable[Action]) -> frozenset[str]:
        """The settings that some calls use: ``consumer_key``, ``consumer_secret``, ``client_id``,
        ``client_secret``, ``scopes``, ``redirect_uri``.
        """
        made = [self.facts.calls[action] for action in actions if action in self.facts.calls]
        if self.facts.application_token is not None and any(_uses_application(call) for call in made):
            made.append(self.facts.application_token)
        return frozenset(need for call in made for need in _needs(call, self.facts))

    def row_rules(self, consumer_keys: frozenset[str] | None = None) -> RowRules:
        """What a row must have; ``consumer_keys`` are those that the configuration has secrets for, None
        where nothing is signed.
        """
        return RowRules(
            app_types=self.facts.app_types,
            token_secret=self.facts.token_secret,
            session_handle=self.facts.renewal.needs_handle,
            columns=self.facts.columns,
            consumer_keys=consumer_keys,
        )

    def user_of(self, token: Secret) -> str:
        """The user's id that a legacy token begins with; empty where it does not."""
        before = self.facts.legacy_user_before
        user, mark, _ = token.reveal().partition(before) if before else ("", "", "")
        return user if mark else ""

    def request(self, action: Action, given: Given) -> Request:
        """One call. Raises ``KeyError`` for one that the provider has not."""
        return calls.request(self.facts, self.facts.calls[action], given, self.base_url)

    def application_token_request(self, given: Given) -> Request:
        """The call that gives the application an access token of its own (RFC 6749, 4.4)."""
        if self.facts.application_token is None:
            raise ValueError("the profile has no application_token")
        return calls.request(self.facts, self.facts.application_token, given, self.base_url)

    def read_application_token(self, answer: Answer | NoAnswer) -> TokenPair | StopAll | Later:
        """The application's own access token in the answer to the call for it; else what the answer means."""
        return application_answer.read(answer, self.facts)

    @property
    def asks_scopes(self) -> bool:
        """Whether the swap asks for scopes."""
        return "scope" in templates.names(calls.texts(self.facts.calls[Action.SWAP]))

    def chosen(self, found: Reached, access_token: Secret) -> Reached:
        """The same, with what was connected in the consent that the token was won by, if anything tells."""
        return reached.chosen(found, access_token, self.facts)

    def remaining(self, answer: Answer) -> Mapping[int, int]:
        """How many calls the answer says are left, by index in ``limits``."""
        left = {
            index: answers.count(answer.headers.get(limit.remaining))
            for index, limit in enumerate(self.facts.limits)
            if limit.remaining
        }
        return {index: number for index, number in left.items() if number is not None}

    def support_id(self, action: Action, answer: Answer | NoAnswer, secrets: Iterable[Secret] = ()) -> str:
        """What the provider's support asks for; empty if the answer has none, or a token in its place.

        ``secrets`` are those that the call was made with.
        """
        arrived = answer if isinstance(answer, Answer) else answer.part
        said = answers.support_id(arrived, self.facts.support_id) if arrived is not None else ""
        if arrived is None or not said:
            return ""
        known = (*secrets, *self._tokens_in(action, arrived))
        return "" if echoes.repeats_part(said, known) else said

    def read(self, action: Action, answer: Answer | NoAnswer, secrets: Iterable[Secret] = ()) -> Outcome:
        """What the answer to a call of this kind means; what it shows in the clear is none of the
        ``secrets`` that the call was made with.
        """
        return echoes.silenced(self._read(action, answer), secrets)

    def _read(self, action: Action, answer: Answer | NoAnswer) -> Outcome:
        if isinstance(answer, NoAnswer):
            if answer.problem == UNSENDABLE:
                return Over(State.FAILED, UNSENDABLE, UNSENDABLE)
            broken_off = Unknown(answer.problem) if answer.sent else Later(answer.problem)
            return self._salvaged(action, answer.part) or broken_off
        if answers.is_good(answer):
            if answers.is_web_page(answer):
                return self._salvaged(action, answer) or answers.NOT_THE_PROVIDERS
            return self._read_good(action, answer)
        won = self._salvaged(action, answer, refused=refusals.says_so(self.facts, action, answer))
        return won or refusals.meaning(self.facts, action, answer)

    def _read_good(self, action: Action, answer: Answer) -> Outcome:
        """What a good answer holds; only one that does not hold what was asked for may be a refusal."""
        held = self._held(action, answer)
        if isinstance(held, Unknown | Reached | Revoked | Disabled):
            return refusals.refusal(self.facts, action, answer) or held
        return held

    def _held(self, action: Action, answer: Answer) -> Outcome:
        match action:
            case Action.RENEW:
                renewed = legacy_response.read(answer, self.facts.renewal.answer)
                return renewed or Unknown("unreadable_token")
            case Action.VERIFY:
                return reached.read(answer, self.facts)
            case Action.REVOKE:
                return Revoked()  # whatever the body says: RFC 7009, 2.2
            case Action.DISABLE:
                return Disabled()
            case Action.IDENTIFY:
                user = answers.identity(answers.value_at(answer, self.facts.identify))
                return Identified(user) if user else Unknown("unreadable_user")
            case _:
                won = token_response.read(answer, self._tokens(action), self.facts.no_refresh_token_hint)
                if isinstance(won, Won) and refusals.says_so(self.facts, action, answer):
                    won = replace(won, whole=False)  # it says both: only the pair's use tells which is so
                return won or Unknown("unreadable_pair")

    def _salvaged(self, action: Action, arrived: Answer | None, *, refused: bool = False) -> Outcome | None:
        """What was asked for, in what is no good answer, if it is there: it has arrived all the same."""
        if arrived is None:
            return None
        if action is Action.RENEW:
            return legacy_response.salvaged(arrived, self.facts.renewal.answer)
        if action not in _OF_PAIRS:
            return None
        by_name = refused or answers.is_web_page(arrived)
        return token_response.salvaged(arrived, self._tokens(action), by_name=by_name)

    def _tokens_in(self, action: Action, arrived: Answer) -> tuple[Secret, ...]:
        """Whatever may be a token in an answer, understood or not."""
        renewed = legacy_response.read(arrived, self.facts.renewal.answer)
        held = token_response.tokens_in(arrived, self._tokens(action))
        return (*held, *echoes.tokens_of(renewed.legacy if renewed is not None else None))

    def _tokens(self, action: Action) -> TokenAnswer:
        call = self.facts.calls.get(action)
        return call.answer if call is not None and call.answer is not None else TokenAnswer()


def _uses_application(call: CallFacts) -> bool:
    return call.auth is Auth.APPLICATION_BEARER


_SETTINGS = {
    "consumer_key": "consumer_key",
    "client_id": "client_id",
    "client_secret": "client_secret",
    "consumer_secret": "consumer_secret",
    "scope": "scopes",
    "redirect_uri": "redirect_uri",
}


def _needs(call: CallFacts, facts: Facts) -> Iterable[str]:
    names = templates.names((*calls.texts(call, optional=False), *facts.headers.values()))
    yield from (_SETTINGS[name] for name in names if name in _SETTINGS)
    if call.auth is Auth.OAUTH1:
        yield from ("consumer_key", "consumer_secret")
    if call.auth is Auth.CLIENT and facts.client is not ClientStyle.NONE:
        yield "client_id"
        if facts.client is not ClientStyle.CLIENT_ID:
            yield "client_secret"
