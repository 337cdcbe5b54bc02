"""The deliveries in numbers: what the application has got, what waits, and how long it took. Reads only."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from migrator.ledger.file.times import maybe_time_of


@dataclass(frozen=True)
class DeliveryCounts:
    """What became of pairs that were to be handed over while they were won."""

    receivers: tuple[str, ...]
    """Where to, by name; one, as a rule."""
    delivered: int
    waiting: int
    """Those that the receiver has not got yet, and did not refuse."""
    waiting_since: datetime | None
    """Since when the first of them counts (UTC)."""
    refused: int
    """Those that it refused the last time."""
    median: timedelta | None
    """Of the times from the moment that a pair counts to its end of being delivered, rounded up to two
    figures, as all three; None before the first.
    """
    high: timedelta | None
    """So long took 99 of 100 at the most."""
    longest: timedelta | None


def delivery_counts(db: sqlite3.Connection) -> DeliveryCounts | None:
    """How the deliveries stand; None if nobody ever asked for any."""
    receivers = tuple(name for (name,) in db.execute("SELECT name FROM receivers ORDER BY since, name"))
    if not receivers:
        return None
    waiting, since = db.execute("SELECT count(*), min(since) FROM outbox WHERE problem IS NULL").fetchone()
    (refused,) = db.execute("SELECT count(*) FROM outbox WHERE problem IS NOT NULL").fetchone()
    times = db.execute("SELECT milliseconds, pairs FROM delivery_times ORDER BY milliseconds").fetchall()
    delivered = sum(pairs for _, pairs in times)
    return DeliveryCounts(
        receivers,
        delivered,
        waiting,
        maybe_time_of(since),
        refused,
        _quantile(times, delivered, 50),
        _quantile(times, delivered, 99),
        _quantile(times, delivered, 100),
    )


def _quantile(times: list[tuple[int, int]], all_: int, percent: int) -> timedelta | None:
    """The shortest time within which so many of 100 are."""
    passed = 0
    for milliseconds, pairs in times:
        passed += pairs
        if passed * 100 >= all_ * percent:
            return timedelta(milliseconds=milliseconds)
    return None
