"""Whether each rule on refusals can ever match."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from migrator.models import Action
from migrator.providers.facts import ErrorRule, Facts, Meaning
from migrator.providers.profile_file.building_lists import PLACES
from migrator.providers.profile_file.problems import KeyPath, Problem

_STATUSES = frozenset(range(100, 600))
_GOOD = frozenset(range(200, 300))


def check_error_rules(facts: Facts, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Rules that say too little or too much, and such as can never match."""
    earlier: list[ErrorRule] = []
    for number, (rule, table) in enumerate(zip(facts.errors, document.get("errors", ()), strict=True)):
        at: KeyPath = ("errors", number)
        wrong = [*_form(at, rule, table), *_calls(at, rule, facts)]
        yield from wrong
        if not wrong:
            yield from _covered(at, rule, earlier, facts)
        earlier.append(rule)


def _form(at: KeyPath, rule: ErrorRule, table: Mapping[str, Any]) -> Iterator[Problem]:
    places = [place for place in PLACES if place in table]
    if len(places) > 1:
        yield Problem(
            (*at, places[1]), f"excludes {places[0]}: a rule looks at one field", "make it two rules"
        )
    if not places and not rule.status:
        yield Problem(at, "does not say which answers it is for", "add status, or a field and what it says")
    if not places and (rule.equals or rule.contains):
        key = "is" if rule.equals else "contains"
        yield Problem((*at, key), "does not say of what", 'add the field, such as json = "error"')
    if rule.equals and rule.contains:
        yield Problem((*at, "contains"), "excludes is", "make it two rules")
    if rule.where == "text" and not (rule.equals or rule.contains):
        yield Problem((*at, "text"), "says nothing alone: every answer has a body", "add contains")
    if not places and _GOOD & set(rule.status):
        yield Problem(
            (*at, "status"),
            "has that of an answer that says that all went well",
            "add the field that says that it is one",
        )
    if "scope" in table and rule.means is not Meaning.LIMIT:
        yield Problem((*at, "scope"), 'says nothing unless means = "limit"', "take it out")


def _calls(at: KeyPath, rule: ErrorRule, facts: Facts) -> Iterator[Problem]:
    for call in sorted(rule.calls - facts.calls.keys()):
        yield Problem(
            (*at, "calls"),
            f"can never match {call}: this profile has no such call",
            f"add [{call}], or take it out",
        )


def _covered(at: KeyPath, rule: ErrorRule, earlier: list[ErrorRule], facts: Facts) -> Iterator[Problem]:
    for number, before in enumerate(earlier):
        if _covers(before, rule, frozenset(facts.calls)):
            yield Problem(
                at,
                f"can never match: errors[{number + 1}] does wherever it would, and the first one counts",
                f"put it before errors[{number + 1}], or take it out",
            )
            return


def _covers(before: ErrorRule, rule: ErrorRule, calls: frozenset[Action]) -> bool:
    """Whether every answer that a rule matches is matched by one that stands before it."""
    if not (rule.calls or calls) <= (before.calls or calls) or not _statuses(rule) <= _statuses(before):
        return False
    if not before.where:
        return True
    return _field(before) == _field(rule) and _covers_texts(before, rule)


def _statuses(rule: ErrorRule) -> frozenset[int]:
    return frozenset(rule.status) or _STATUSES


def _field(rule: ErrorRule) -> tuple[str, str]:
    return rule.where, rule.path.lower() if rule.where == "header" else rule.path


def _covers_texts(before: ErrorRule, rule: ErrorRule) -> bool:
    if not before.equals and not before.contains:
        # In JSON a field that says false is not there, and yet has a text.
        return before.where != "json" or not _matches_text(rule, "false")
    texts = {text.casefold() for text in rule.equals or rule.contains}
    if before.equals:
        return bool(rule.equals) and texts <= {text.casefold() for text in before.equals}
    parts = [part.casefold() for part in before.contains]
    return bool(texts) and all(any(part in text for part in parts) for text in texts)


def _matches_text(rule: ErrorRule, text: str) -> bool:
    return any(word.casefold() == text for word in rule.equals) or any(
        part.casefold() in text for part in rule.contains
    )
