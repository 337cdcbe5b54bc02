"""Who could still go back to the legacy token after its swap. Pure: the provider's facts in, who it is out.

A token that was renewed by us is another one than the application's, which is dead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from migrator.providers.facts import Facts, LegacyFate


@dataclass(frozen=True)
class Nobody:
    """All legacy tokens have ended."""


@dataclass(frozen=True)
class NobodyKnows:
    """No source says what becomes of a legacy token."""


@dataclass(frozen=True)
class SwappedSince:
    """Whose legacy token was swapped after a moment, and neither renewed nor disabled by us."""

    moment: datetime | None
    """UTC; None: at any time."""


Back: TypeAlias = Nobody | NobodyKnows | SwappedSince


def who_could(facts: Facts, now: datetime) -> Back:
    """Whose legacy tokens live, by the provider's rule and date; ``now`` is UTC."""
    if facts.legacy_ends is not None and now.date() > facts.legacy_ends.day:
        return Nobody()
    match facts.legacy_fate:
        case LegacyFate.DIES:
            return Nobody()
        case LegacyFate.UNKNOWN:
            return NobodyKnows()
        case LegacyFate.DIES_AFTER:
            return SwappedSince(now.astimezone(UTC) - timedelta(days=facts.legacy_days))
        case LegacyFate.LIVES | LegacyFate.MUST_BE_DISABLED:
            return SwappedSince(None)
