"""A provider's days, for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from migrator.providers.describing.topic import Line, cited
from migrator.providers.facts import Dated, Facts
from migrator.wording import counted


def date_lines(facts: Facts, today: date) -> Iterator[Line]:
    """Whether the exchange is open, and when OAuth 1.0a ends."""
    named = facts.closes or facts.open_since
    doubt = "" if named is not None else ", as far as is known"
    yield "the exchange", exchange_text(facts, today) + doubt + _source(named)
    yield "OAuth 1.0a", _end(facts, today) + _source(facts.legacy_ends)


def exchange_text(facts: Facts, today: date) -> str:
    """Whether the exchange is open, in few words."""
    if facts.closes is not None:
        return f"{'closed' if facts.closes.day < today else 'open until'} {facts.closes.day}"
    if facts.open_since is not None:
        return f"{'open since' if facts.open_since.day <= today else 'opens'} {facts.open_since.day}"
    return "open"


def _end(facts: Facts, today: date) -> str:
    if facts.legacy_ends is None:
        return "no day of its end is known"
    left = (facts.legacy_ends.day - today).days
    if left < 0:
        return f"ended on {facts.legacy_ends.day}"
    return f"ends on {facts.legacy_ends.day}, in {counted(left, 'day')}" if left else "ends today"


def _source(dated: Dated | None) -> str:
    return cited(dated.source) if dated is not None else ""
