"""The calls of the last while, as far as they still count in a provider's limits. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from migrator.ledger.file.times import time_of, time_text
from migrator.models import Action

_DISORDER = timedelta(minutes=1)
"""Attempts that began so close to each other may have their ids in another order."""


@dataclass(frozen=True)
class SentCalls:
    """The calls of one kind that left in one second."""

    action: Action
    consumer_key: str
    """Of the legacy application that they were for; empty where there is only one."""
    second: datetime
    """When it begins (UTC)."""
    number: int


def sent_since(db: sqlite3.Connection, since: datetime) -> Iterator[SentCalls]:
    """The calls that left from ``since`` on, the earliest first."""
    for action, consumer_key, second, number in db.execute(
        """SELECT a.action, c.consumer_key, substr(a.started_at, 1, 19) AS second, count(*)
           FROM attempts a JOIN connections c ON c.id = a.connection_id
           WHERE a.id >= ? AND a.started_at >= ?
           GROUP BY second, a.action, c.consumer_key ORDER BY second""",
        [_first(db, time_text(since - _DISORDER)), time_text(since)],
    ):
        yield SentCalls(Action(action), consumer_key, time_of(f"{second}Z"), number)


def _first(db: sqlite3.Connection, since: str) -> int:
    """Id of the first attempt that began from ``since`` on, found by halves: ids are given in the order of
    time, so that no index of it is needed.
    """
    low, high = 0, int(db.execute("SELECT coalesce(max(id), 0) + 1 FROM attempts").fetchone()[0])
    while low < high:
        middle = (low + high) // 2
        row = db.execute(
            "SELECT started_at >= ? FROM attempts WHERE id >= ? ORDER BY id LIMIT 1", [since, middle]
        ).fetchone()
        low, high = (low, middle) if row is None or row[0] else (middle + 1, high)
    return low
