"""A provider's days, for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from migrator.providers.facts import Dated, Facts
from migrator.wording import counted


def exchange_text(facts: Facts, today: date) -> str:
    """Whether the exchange is open."""
    if facts.closes is not None:
        closed = facts.closes.day < today
        return f"closed since {facts.closes.day}" if closed else f"open until {facts.closes.day}"
    if facts.open_since is not None:
        opens = "open since" if facts.open_since.day <= today else "opens on"
        return f"{opens} {facts.open_since.day}"
    return "open, as far as is known"


def end_text(facts: Facts, today: date) -> str:
    """When OAuth 1.0a ends."""
    if facts.legacy_ends is None:
        return "no day is known"
    left = (facts.legacy_ends.day - today).days
    if left < 0:
        return f"ended on {facts.legacy_ends.day}"
    return f"ends on {facts.legacy_ends.day}, in {counted(left, 'day')}" if left else "ends today"


def date_lines(facts: Facts, today: date) -> Iterator[tuple[str, str]]:
    """Whether the exchange is open, and when OAuth 1.0a ends."""
    yield "the exchange", exchange_text(facts, today) + _cited(facts.closes or facts.open_since)
    yield "OAuth 1.0a", end_text(facts, today) + _cited(facts.legacy_ends)


def _cited(dated: Dated | None) -> str:
    return f" [{dated.source}]" if dated is not None and dated.source else ""
