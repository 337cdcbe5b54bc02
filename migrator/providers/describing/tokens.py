"""What becomes of tokens, for people: what a swap gives, what a second one does, what a lost answer means."""

from __future__ import annotations

from migrator.models import Action
from migrator.providers.describing.topic import Line, cited
from migrator.providers.facts import Facts, LegacyFate, RenewalRule, Repeat, TokenAnswer
from migrator.wording import counted, lasting

_IN_SHORT = {
    Repeat.NEWEST_WINS: "newest wins",
    Repeat.BOTH_LIVE: "both pairs live",
    Repeat.NEVER: "never",
    Repeat.ONCE_PER_USER: "refused",
    Repeat.UNKNOWN: "not known",
}
_SECOND = {
    Repeat.NEWEST_WINS: "gives a new pair and ends the one before",
    Repeat.BOTH_LIVE: "gives a new pair, and the one before lives on",
    Repeat.NEVER: "is refused: the first one ends the legacy token",
    Repeat.ONCE_PER_USER: "is refused, whether the legacy token lives or not",
    Repeat.UNKNOWN: "nobody knows what it does",
}
_GONE = "is gone: it is not asked for twice, and its user must authorise again"
_LOST = {
    Repeat.NEWEST_WINS: "is asked for again; the newest pair counts",
    Repeat.BOTH_LIVE: "is asked for again",
    Repeat.NEVER: _GONE,
    Repeat.ONCE_PER_USER: _GONE,
    Repeat.UNKNOWN: (
        "is asked for again, and the pair verified before it counts; if the token is refused then, its user"
        " must authorise again"
    ),
}
_FATES = {
    LegacyFate.LIVES: "lives on",
    LegacyFate.DIES: "dies with the swap",
    LegacyFate.MUST_BE_DISABLED: "is disabled by migrator once the pair is on disk",
    LegacyFate.UNKNOWN: "nobody knows what becomes of it",
}
_ROTATION = {
    "always": "each refresh gives a new one, and ends it",
    "sometimes": "some refreshes give a new one",
    "never": "stays the same",
    "unknown": "nobody knows whether a refresh gives a new one",
}


def second_swap(facts: Facts) -> str:
    """What a second swap of one token does, in few words."""
    return _IN_SHORT[facts.repeat]


def access_life(facts: Facts) -> str:
    """How long an access token lives, in few words."""
    answer = _answer(facts)
    if not answer.access_token:
        return "none"
    if answer.expires is None:
        return "does not end"
    return lasting(answer.expires.documented) if answer.expires.documented else "as answered"


def refresh_life(facts: Facts) -> str:
    """How long a refresh token lives unused, in few words."""
    answer = _answer(facts)
    if not answer.refresh_token:
        return "none"
    if answer.refresh_optional:
        return "sometimes"
    ends = answer.refresh_expires
    return lasting(ends.documented) if ends is not None and ends.documented else "not known"


def token_lines(facts: Facts) -> tuple[Line, ...]:
    """What a swap gives, and what becomes of the legacy token."""
    scopes = f"a pair must have {', '.join(facts.scope_needed)}" if facts.scope_needed else ""
    lines = (
        ("access token", _access(facts)),
        ("refresh token", _refresh(facts)),
        ("a second swap", _SECOND[facts.repeat] + cited(facts.repeat_source)),
        ("a lost answer", _LOST[facts.repeat]),
        ("the legacy token", _fate(facts) + cited(facts.legacy_source)),
        ("its secret", "" if facts.token_secret else "it has none"),
        ("its renewal", _renewal(facts)),
        ("its user", _user(facts)),
        ("scopes", scopes),
    )
    return tuple(line for line in lines if line[1])


def _answer(facts: Facts) -> TokenAnswer:
    return facts.calls[Action.SWAP].answer or TokenAnswer()


def _access(facts: Facts) -> str:
    answer = _answer(facts)
    if not answer.access_token:
        return "a swap gives none: a refresh follows"
    if answer.expires is None:
        return "does not end"
    if answer.expires.documented is None:
        return "lives as long as the answer says; where it does not say, the token does not end"
    told = "" if answer.expires.field else ", as documented: no answer says it"
    return f"lives {access_life(facts)}{told}"


def _refresh(facts: Facts) -> str:
    answer = _answer(facts)
    if not answer.refresh_token:
        return "there is none: nothing is refreshed"
    life = refresh_life(facts)
    parts = ["comes only with some answers" if answer.refresh_optional else f"lives {life} unused"]
    if life == "not known":
        parts = ["nobody knows how long it lives"]
    if Action.REFRESH in facts.calls:
        parts.append(_ROTATION[facts.refresh_rotates])
    else:
        parts.append("is kept and handed over, as no call uses it")
    if facts.grace:
        parts.append(f"the one before works for {lasting(facts.grace)} more")
    return "; ".join(parts)


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
            soon = lasting(renewal.ahead)
            return f"at any time{handle}: a token that ends within {soon} is renewed, then swapped"
        case RenewalRule.WINDOW:
            return f"in the {lasting(renewal.window)} before its end{handle}"
        case RenewalRule.REFUSED:
            return f"once, after the provider has said that it has ended{handle}"


def _user(facts: Facts) -> str:
    user = _answer(facts).user
    if Action.IDENTIFY in facts.calls:
        return "is asked for with the legacy token before the swap, and kept"
    if facts.legacy_user_before:
        return f"is what the legacy token begins with, up to {facts.legacy_user_before!r}"
    if user.claim:
        return f"is the claim {user.claim} of the access token"
    return f"is the field {user.field} of the answer" if user.field else ""
