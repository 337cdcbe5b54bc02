"""What a provider's answer says that is no good answer, by its profile's rules for errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Literal

from migrator.models import Action, State
from migrator.providers import answers, paths, xml
from migrator.providers.facts import ErrorRule, Facts, Meaning
from migrator.providers.interface import (
    RATE_LIMITED,
    Answer,
    Later,
    Outcome,
    Over,
    RenewFirst,
    StopAll,
    Suspect,
    Unknown,
)

GRANT_REVOKED = "grant_revoked"
"""A reason: the provider takes a token no more."""
ALREADY_EXCHANGED = "already_exchanged"
"""A reason: the provider says that the token was exchanged before, and not by this ledger's doing."""
_ACCESS_REFUSED = "access_token_refused"
_LONG_WINDOW = timedelta(hours=1)
"""When to look again at a limit of hours or days that does not say for how long it holds."""


@dataclass(frozen=True)
class _Match:
    rule: ErrorRule
    word: str
    """What the rule looked for and found; empty where it looks for nothing."""


def refusal(facts: Facts, action: Action | None, answer: Answer) -> Outcome | None:
    """What the first rule that matches makes of an answer; None if none does.

    Without an action it is the application's own call, which only rules for all calls match.
    """
    for rule in facts.errors:
        found = _match(rule, action, answer)
        if found is not None:
            return _outcome(facts, action, answer, found)
    return None


def meaning(facts: Facts, action: Action | None, answer: Answer) -> Outcome:
    """What an answer means whose status says that not all went well: by the first rule that matches, else by
    its status. One of 429 (RFC 6585, 4) is over a limit, whatever else it says.
    """
    said = refusal(facts, action, answer) or answers.by_status(answer)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS and not isinstance(said, Later):
        return rate_limited(facts, answer)
    return said


def says_so(facts: Facts, action: Action, answer: Answer) -> bool:
    """Whether an answer refuses in words, and not by its status alone."""
    return any(_match(rule, action, answer) for rule in facts.errors_in_words[action])


def rate_limited(facts: Facts, answer: Answer, rule: ErrorRule | None = None) -> Later:
    """What to make of an answer that says that a limit was reached, and which, and for how long."""
    named = answer.headers.get(facts.wait.limit_header, "").strip().lower() if facts.wait.limit_header else ""
    limit = next((limit for limit in facts.limits if limit.name and limit.name.lower() == named), None)
    # Whatever is not known to be one tenant's is taken for the application's: that is stricter.
    of_one = limit is not None and limit.subject == "tenant"
    scope: Literal["connection", "app"] = "connection" if of_one else "app"
    if rule is not None and rule.scope == "connection":
        scope = "connection"
    unsaid = min(limit.window, _LONG_WINDOW) if limit is not None and limit.window >= _LONG_WINDOW else None
    wait = _wait(facts, answer, over_limit=True)
    return Later(RATE_LIMITED, wait or unsaid, scope, limit.name if limit else "")


def _wait(facts: Facts, answer: Answer, *, over_limit: bool = False) -> timedelta | None:
    """How long a refusal asks to wait; None if it does not say.

    When a limit's window is over, every answer may tell: only one that is ``over_limit`` means it.
    """
    said = answers.retry_after(answer)
    if said is not None:
        return said
    if facts.wait.epoch_header and over_limit:
        until = answers.moment(
            answer.headers.get(facts.wait.epoch_header), "epoch_seconds", answer.received_at
        )
        if until is not None:
            return min(max(until - answer.received_at, timedelta(0)), answers.LONGEST_WAIT)
    if facts.wait.field:
        seconds = answers.seconds(paths.first(answers.json_value(answer), facts.wait.field))
        return min(timedelta(seconds=seconds), answers.LONGEST_WAIT) if seconds else None
    return None


def _match(rule: ErrorRule, action: Action | None, answer: Answer) -> _Match | None:
    if rule.calls and action not in rule.calls:
        return None
    if rule.status and answer.status not in rule.status:
        return None
    if not rule.where:
        # An answer that says that all went well is none, unless the rule names its very status.
        return _Match(rule, "") if rule.status or not answers.is_good(answer) else None
    if rule.where == "json" and not rule.equals and not rule.contains:
        found = any(map(_is_there, paths.at(answer.document, rule.path)))
        return _Match(rule, "") if found else None
    for said in _said(rule, answer):
        word = _word(rule, said)
        if word is not None:
            return _Match(rule, word)
    return None


def _word(rule: ErrorRule, said: str) -> str | None:
    """What of the rule's words the answer says; None if the rule does not match."""
    folded = said.strip().casefold()
    if rule.equals:
        return next((word for word in rule.equals if word.casefold() == folded), None)
    if rule.contains:
        return next((word for word in rule.contains if word.casefold() in folded), None)
    return ""


def _said(rule: ErrorRule, answer: Answer) -> Iterable[str]:
    match rule.where:
        case "json":
            return _texts(paths.at(answer.document, rule.path))
        case "form":
            return _text_of(answer.form, rule.path)
        case "xml":
            return xml.texts(answer, rule.path)
        case "header":
            return _text_of(answer.headers, rule.path)
        case "text":
            return (answer.text,)
        case _:
            return ()


def _text_of(fields: Mapping[str, str], name: str) -> tuple[str, ...]:
    said = fields.get(name)
    return () if said is None else (said,)


def _is_there(value: Any) -> bool:
    """Whether a field says something: some APIs always have one for errors, ``null`` where there is none."""
    return value is not None and value is not False and value != {}


def _texts(values: Iterable[Any]) -> Iterator[str]:
    """Texts, and as JSON writes them whole numbers and truth values."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, bool):
            yield "true" if value else "false"
        elif isinstance(value, int):
            yield str(value)


def _outcome(  # noqa: PLR0911 - a return a meaning
    facts: Facts, action: Action | None, answer: Answer, found: _Match
) -> Outcome:
    rule = found.rule
    problem = rule.problem or found.word or f"http_{answer.status}"
    match rule.means:
        case Meaning.TOKEN_EXPIRED:
            return RenewFirst(problem)
        case Meaning.LATER:
            return Later(problem, answers.retry_after(answer))  # the rest of [wait] is about limits
        case Meaning.LIMIT:
            return rate_limited(facts, answer, rule)
        case Meaning.SUSPECT:
            return Suspect(problem, rule.hint)
        case Meaning.UNKNOWN:
            return Unknown(problem)
        case Meaning.APPLICATION | Meaning.REQUEST | Meaning.CLOSED:
            return StopAll(problem, rule.hint, closed=rule.means is Meaning.CLOSED)
        case Meaning.CLOCK:
            return StopAll(problem, answers.clock_hint(answer))
        case Meaning.TOKEN_DEAD | Meaning.ACCESS_TOKEN_REFUSED | Meaning.ALREADY_EXCHANGED:
            return _over(rule, action, problem)


def _over(rule: ErrorRule, action: Action | None, problem: str) -> Over:
    """A token was refused: the access token that a verification shows, or what a connection goes on with."""
    if rule.means is Meaning.ACCESS_TOKEN_REFUSED or action is Action.VERIFY:
        return Over(State.FAILED, _ACCESS_REFUSED, problem, refused=True)
    usual = ALREADY_EXCHANGED if rule.means is Meaning.ALREADY_EXCHANGED else GRANT_REVOKED
    return Over(
        State.NEEDS_CONSENT,
        rule.reason or usual,
        problem,
        refused=True,
        by_status_alone=not rule.where,
    )
