"""The tables of ``[[limits]]`` and ``[[errors]]``, made into facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from migrator.models import Action
from migrator.providers.facts import ErrorRule, Limit, Meaning
from migrator.providers.profile_file.durations import duration, share

Table = Mapping[str, Any]

Place = Literal["json", "form", "xml", "header", "text"]
PLACES: tuple[Place, ...] = ("json", "form", "xml", "header", "text")
"""Where a rule may look; ``text`` is the whole body, the others name a field."""


def limit(table: Table) -> Limit:
    """One limit."""
    return Limit(
        count=table.get("count", 0),
        window=duration(table["window"]) if "window" in table else timedelta(0),
        calendar=table.get("calendar", False),
        at_once=table.get("at_once", 0),
        subject=table["subject"],
        leave=share(table.get("leave", "0%")),
        shared=table.get("shared", False),
        calls=_actions(table),
        name=table.get("name", ""),
        remaining=table.get("remaining", ""),
        counts=table.get("counts", Limit.counts),
        source=table.get("source", ""),
    )


def error_rule(table: Table) -> ErrorRule:
    """What answers of one kind mean."""
    where = _place(table)
    return ErrorRule(
        means=Meaning(table["means"]),
        calls=_actions(table),
        status=tuple(table.get("status", ())),
        where=where or "",
        path=table[where] if where and where != "text" else "",
        equals=tuple(table.get("is", ())),
        contains=tuple(table.get("contains", ())),
        problem=table.get("problem", ""),
        reason=table.get("reason", ""),
        hint=table.get("hint", ""),
        scope=table.get("scope", ErrorRule.scope),
    )


def _place(table: Table) -> Place | None:
    for place in PLACES:
        if place in table:
            return place
    return None


def _actions(table: Table) -> frozenset[Action]:
    return frozenset(Action(name) for name in table.get("calls", ()))
