"""How many calls of earlier runs still count in the provider's limits."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from migrator.ledger import schema
from migrator.ledger.file.opening import connect, create_private
from migrator.ledger.file.times import time_text
from migrator.ledger.sent_calls import sent_since
from migrator.models import Action

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "ledger.db"
    create_private(path)
    with closing(connect(path, readonly=False)) as opened:
        schema.migrations.apply(Database(opened))
        opened.execute("INSERT INTO runs (id, command, process, started_at) VALUES (1, 'run', 1, '')")
        for number, consumer_key in enumerate(["", "other"], 1):
            opened.execute(
                """INSERT INTO connections
                       (id, key, provider, app_type, organisation, tenant_id, tenant_type, contact_email,
                        state, reason, row_print, run_id, updated_at, consumer_key)
                   VALUES (?, ?, 'xero', '', '', '', '', '', 'pending', '', x'', 1, '', ?)""",
                [number, f"k{number}", consumer_key],
            )
        yield opened


def send(db: sqlite3.Connection, calls: list[tuple[int, str, datetime]]) -> None:
    db.executemany(
        "INSERT INTO attempts (connection_id, run_id, action, started_at) VALUES (?, 1, ?, ?)",
        [(connection, action, time_text(at)) for connection, action, at in calls],
    )


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def test_calls_are_counted_by_kind_application_and_second(db: sqlite3.Connection) -> None:
    send(db, [(1, "swap", ago(90)), (1, "swap", ago(9.5)), (1, "swap", ago(9.3)), (2, "swap", ago(9.2))])
    send(db, [(1, "verify", ago(2))])
    found = [(each.action, each.consumer_key, each.second, each.number) for each in sent_since(db, ago(60))]
    assert sorted(found, key=lambda each: each[2:]) == [
        (Action.SWAP, "other", ago(10), 1),
        (Action.SWAP, "", ago(10), 2),
        (Action.VERIFY, "", ago(2), 1),
    ]
    assert list(sent_since(db, NOW)) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.floats(0, 7_200), max_size=60), st.floats(0, 7_200), st.sets(st.integers(1, 60)))
def test_whatever_was_sent_since_is_found_in_order(
    db: sqlite3.Connection, ages: list[float], since: float, missing: set[int]
) -> None:
    db.execute("DELETE FROM attempts")
    ordered = sorted(ages, reverse=True)
    for index in range(len(ordered) - 1):  # neighbours in time may have their ids the other way round
        if ordered[index] - ordered[index + 1] < 30 and random.Random(index).random() < 0.3:
            ordered[index], ordered[index + 1] = ordered[index + 1], ordered[index]
    send(db, [(1, "swap", ago(age)) for age in ordered])
    db.executemany("DELETE FROM attempts WHERE id = ?", [(number,) for number in missing])
    rows = db.execute("SELECT started_at FROM attempts WHERE started_at >= ?", [time_text(ago(since))])
    expected = Counter(text[:19] for (text,) in rows)
    found = list(sent_since(db, ago(since)))
    assert {time_text(each.second)[:19]: each.number for each in found} == dict(expected)
    assert [each.second for each in found] == sorted(each.second for each in found)
