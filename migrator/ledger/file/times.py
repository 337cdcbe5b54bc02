"""How the ledger writes times, and reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=256)  # a time is mostly written more than once: in both tables, or of a batch of rows
def time_text(moment: datetime) -> str:
    """A time as the ledger writes it: ISO 8601, UTC, of one width, so that texts sort as times do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def maybe_time_text(moment: datetime | None) -> str | None:
    """The same for a time that may be missing."""
    return time_text(moment) if moment else None


def time_of(text: str) -> datetime:
    """A time as the ledger wrote it."""
    return datetime.fromisoformat(text)


def maybe_time_of(text: str | None) -> datetime | None:
    """The same for a time that may be missing."""
    return time_of(text) if text else None
