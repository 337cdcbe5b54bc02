"""What becomes of tokens, for people: what a swap gives, what a second one does, what a lost answer means."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.models import Action
from migrator.providers.facts import Facts, LegacyFate, Lifetime, RenewalRule, Repeat, TokenAnswer
from migrator.wording import counted, lasting

_SECOND = {
    Repeat.NEWEST_WINS: "gives a new pair and ends the one before",
    Repeat.BOTH_LIVE: "gives a new pair, and the one before lives on",
    Repeat.NEVER: "is refused: the first one ends the legacy token",
    Repeat.ONCE_PER_USER: "is refused, whether the legacy token lives or not",
    Repeat.UNKNOWN: "nobody knows what it does",
}
_LOST = {
    Repeat.NEWEST_WINS: "is asked for again; the newest pair counts",
    Repeat.BOTH_LIVE: "is asked for again",
    Repeat.NEVER: "is gone: its user must authorise again, and is not asked for twice",
    Repeat.ONCE_PER_USER: "is gone: its user must authorise again, and is not asked for twice",
    Repeat.UNKNOWN: (
        "is asked for again, and the pair verified before it counts;"
        " if the provider refuses the token then, its user must authorise again"
    ),
}
_FATES = {
    LegacyFate.LIVES: "lives on",
    LegacyFate.DIES: "dies with the swap",
    LegacyFate.MUST_BE_DISABLED: "is disabled by migrator once the pair is on disk",
    LegacyFate.UNKNOWN: "nobody knows",
}
_ROTATION = {
    "always": "each refresh gives a new one, and ends it",
    "sometimes": "some refreshes give a new one",
    "never": "it stays the same",
    "unknown": "nobody knows whether a refresh gives a new one",
}


def promise_text(facts: Facts) -> str:
    """What a swap gives, in few words."""
    answer = facts.calls[Action.SWAP].answer or TokenAnswer()
    access = f"access token {_life(answer.expires)}" if answer.access_token else ""
    if not answer.refresh_token:
        return f"{access}, no refresh token"
    sometimes = "sometimes a " if answer.refresh_optional else ""
    refresh = f"{sometimes}refresh token {_life(answer.refresh_expires)}".rstrip()
    return f"{access}, {refresh}" if access else f"{refresh} alone"


def repeat_text(facts: Facts) -> str:
    """What a second swap of one token does."""
    return _SECOND[facts.repeat]


def _life(lifetime: Lifetime | None) -> str:
    if lifetime is None:
        return "without end"
    if lifetime.documented is None:
        return "as long as each answer says"
    return f"for {lasting(lifetime.documented)}"


def token_lines(facts: Facts) -> Iterator[tuple[str, str]]:
    """What a swap gives, and what becomes of the legacy token."""
    answer = facts.calls[Action.SWAP].answer or TokenAnswer()
    yield "a swap gives", promise_text(facts)
    if answer.refresh_token and Action.REFRESH in facts.calls:
        grace = f"; the one before works for {lasting(facts.grace)} more" if facts.grace else ""
        yield "refresh token", _ROTATION[facts.refresh_rotates] + grace
    elif answer.refresh_token:
        yield "refresh token", "is kept and handed over; how it is used is not known"
    yield "a second swap", repeat_text(facts) + _bracketed(facts.repeat_source)
    yield "a lost answer", _LOST[facts.repeat]
    yield "the legacy token", _fate(facts) + _bracketed(facts.legacy_source)
    if not facts.token_secret:
        yield "", "legacy tokens have no secret"
    renewal = _renewal(facts)
    if renewal:
        yield "its renewal", renewal
    user = _user(facts, answer)
    if user:
        yield "its user", user
    if facts.scope_needed:
        yield "scopes", f"a pair must have {', '.join(facts.scope_needed)}"


def _bracketed(source: str) -> str:
    return f" [{source}]" if source else ""


def _fate(facts: Facts) -> str:
    if facts.legacy_fate is LegacyFate.DIES_AFTER:
        return f"dies {counted(facts.legacy_days, 'day')} after the swap"
    return _FATES[facts.legacy_fate]


def _renewal(facts: Facts) -> str:
    renewal = facts.renewal
    handle = ", with its session handle" if renewal.needs_handle else ""
    match renewal.rule:
        case RenewalRule.NEVER:
            return ""
        case RenewalRule.EXPIRED:
            return (
                f"at any time{handle}: one that ends within {lasting(renewal.ahead)} is renewed, then swapped"
            )
        case RenewalRule.WINDOW:
            return f"in the {lasting(renewal.window)} before its end{handle}"
        case RenewalRule.REFUSED:
            return f"once, after the provider has said that it has ended{handle}"


def _user(facts: Facts, answer: TokenAnswer) -> str:
    if Action.IDENTIFY in facts.calls:
        return "is asked for with the legacy token before the swap, and kept"
    if facts.legacy_user_before:
        return f"is what the legacy token begins with, up to {facts.legacy_user_before!r}"
    if answer.user.claim:
        return f"is the claim {answer.user.claim} of the access token"
    return f"is {answer.user.field} in the answer" if answer.user.field else ""
