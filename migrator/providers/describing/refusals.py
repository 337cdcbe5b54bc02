"""The rules on refusals, for people: which answers, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.providers.describing.topic import Line
from migrator.providers.facts import ErrorRule, Facts, Meaning

_MEANINGS = {
    Meaning.TOKEN_DEAD: "the token is dead: its user must authorise again",
    Meaning.TOKEN_EXPIRED: "the legacy token has ended: it is renewed where that is possible",
    Meaning.ACCESS_TOKEN_REFUSED: "the access token is refused",
    Meaning.ALREADY_EXCHANGED: "it was exchanged before: its user must authorise again",
    Meaning.LATER: "tried again later",
    Meaning.LIMIT: "a limit is reached: waits",
    Meaning.APPLICATION: "the application is at fault: the job stops",
    Meaning.REQUEST: "the call is at fault: the job stops",
    Meaning.CLOSED: "the exchange is closed: the job stops",
    Meaning.CLOCK: "this machine's clock is off: the job stops",
    Meaning.SUSPECT: "this connection or the application is at fault: several in a row stop the job",
    Meaning.UNKNOWN: "nobody knows whether the call took effect",
}


def refusal_lines(facts: Facts) -> Iterator[Line]:
    """Each rule, in order, and what the provider's support asks for."""
    for rule in facts.errors:
        yield _answers(rule), _MEANINGS[rule.means]
    if facts.support_id:
        where = facts.support_id.removeprefix("json:")
        kind = "field" if facts.support_id.startswith("json:") else "header"
        yield "for the provider's support", f"the {kind} {where} is kept with each attempt"


def _answers(rule: ErrorRule) -> str:
    parts = []
    if rule.status:
        parts.append("/".join(str(status) for status in rule.status))
    if rule.where:
        verb = "holds" if rule.contains else "is"
        words = " or ".join(rule.equals or rule.contains)
        field = "the body" if rule.where == "text" else rule.path
        parts.append(f"{field} {verb} {words}" if words else f"has {field}")
    if rule.calls:
        parts.append(f"in answer to {', '.join(sorted(rule.calls))}")
    return " ".join(parts)
