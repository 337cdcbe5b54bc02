"""Counts that look at indexes alone, and lists, say what the views say, whatever the ledger holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from migrator.ledger import schema
from migrator.ledger.file.opening import connect, create_private
from migrator.ledger.file.times import maybe_time_of, time_text
from migrator.ledger.lists import listed
from migrator.ledger.pair_counts import Ends, Pairs, days_of_end, pair_counts
from migrator.ledger.status import read_status
from migrator.models import Action, State

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CONNECTIONS, PAIRS, EXPORTS = 4, 6, 3
USERS = ("", "ann", "bob", "eve")
MOMENTS = [time_text(NOW + timedelta(days=days)) for days in (-1, 0, 1, 7, 8)]


@dataclass(frozen=True)
class Pair:
    """A row of ``token_pairs`` as far as it is counted."""

    connection_id: int
    user_id: str
    ends: str | None
    verified: bool
    purged: bool
    replaced: bool
    dead: bool


@dataclass(frozen=True)
class Holding:
    """What a small ledger holds; connections, pairs and exports go by their numbers, from 1."""

    served_by: tuple[int | None, ...]
    pairs: tuple[Pair, ...]
    finished: tuple[bool, ...]
    handings: frozenset[tuple[int, int, int, int]]
    """Export, connection, its own pair, the pair that stands for it."""


some_connection = st.integers(1, CONNECTIONS)
seldom = st.integers(0, 3).map(lambda number: number == 0)


@st.composite
def holdings(draw: st.DrawFn) -> Holding:
    """Any at all: what jobs, consents and exports leave is among them."""
    serves = st.none() | some_connection if draw(st.booleans()) else st.none()
    pair = st.builds(
        Pair,
        connection_id=some_connection,
        user_id=st.sampled_from(USERS),
        ends=st.none() | st.sampled_from(MOMENTS),
        verified=st.booleans(),
        purged=seldom,
        replaced=seldom,
        dead=seldom,
    )
    pairs = draw(st.lists(pair, max_size=PAIRS).map(tuple))
    finished = draw(st.lists(seldom.map(lambda so: not so), max_size=EXPORTS).map(tuple))
    handings = frozenset[tuple[int, int, int, int]]()
    if pairs and finished:
        some_pair = st.integers(1, len(pairs))
        anyhow = st.tuples(some_connection, some_pair, some_pair)
        own = st.tuples(some_pair, some_pair).map(lambda two: (pairs[two[0] - 1].connection_id, *two))
        taken = st.tuples(st.integers(1, len(finished)), own | anyhow).map(lambda it: (it[0], *it[1]))
        handings = draw(st.frozensets(taken, max_size=16))
    served_by = tuple(draw(serves) for _ in range(CONNECTIONS))
    return Holding(served_by, pairs, finished, handings)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    create_private(path)
    with closing(connect(path, readonly=False)) as db:
        schema.prepare(db, create=True)
        db.execute(
            "INSERT INTO runs (id, command, process, started_at) VALUES (1, 'run', 1, ?)", [time_text(NOW)]
        )
        for number in range(1, CONNECTIONS + 1):
            db.execute(
                """INSERT INTO connections
                       (id, key, provider, app_type, organisation, tenant_id, tenant_type, contact_email,
                        state, reason, row_print, run_id, updated_at)
                   VALUES (?1, ?1, 'it', '', 'It', '', '', '', 'migrated', '', x'', 1, '')""",
                [number],
            )
        db.execute(
            "INSERT INTO attempts (id, connection_id, run_id, action, started_at) VALUES (1,1,1,'swap','')"
        )
        yield db


def call(db: sqlite3.Connection, action: Action) -> None:
    db.execute(
        "INSERT INTO attempts (connection_id, run_id, action, started_at) VALUES (1, 1, ?, '')", [action]
    )


def hold(db: sqlite3.Connection, what: Holding) -> None:
    for number, owner in enumerate(what.served_by, start=1):
        db.execute("UPDATE connections SET served_by = ? WHERE id = ?", [owner, number])
    for number, pair in enumerate(what.pairs, start=1):
        db.execute(
            """INSERT INTO token_pairs (id, connection_id, attempt_id, access_token, refresh_token, scope,
                   tenant_id, user_id, obtained_at, refresh_expires_at, verified_at, purged_at, replaced_at,
                   dead_at)
               VALUES (?, ?, 1, x'', x'', '', '', ?, '', ?, ?, ?, ?, ?)""",
            [
                number,
                pair.connection_id,
                pair.user_id,
                pair.ends,
                *("" if so else None for so in (pair.verified, pair.purged, pair.replaced, pair.dead)),
            ],
        )
    for number, finished in enumerate(what.finished, start=1):
        db.execute(
            "INSERT INTO exports (id, run_id, target, started_at, finished_at) VALUES (?, 1, '-', '', ?)",
            [number, MOMENTS[number] if finished else None],
        )
    db.executemany("INSERT OR IGNORE INTO handings VALUES (?, ?, ?, ?)", sorted(what.handings))


def counted_in_the_views(db: sqlite3.Connection) -> Pairs:
    """The same numbers as their definitions say them."""
    stored, verified, exported, users = db.execute(
        """SELECT count(DISTINCT own_pair) FILTER (WHERE purged_at IS NULL),
                  count(DISTINCT own_pair) FILTER (WHERE verified_at IS NOT NULL),
                  count(DISTINCT CASE WHEN exported_at IS NOT NULL THEN stands_for_it END),
                  count(DISTINCT nullif(user_id, ''))
           FROM pairs"""
    ).fetchone()
    (several,) = db.execute("SELECT count(*) FROM users WHERE pairs > 1").fetchone()
    first, soon, ended = db.execute(
        """SELECT min(refresh_expires_at), count(DISTINCT own_pair) FILTER (WHERE refresh_expires_at <= ?),
                  count(DISTINCT own_pair) FILTER (WHERE refresh_expires_at <= ?)
           FROM pairs WHERE exported_at IS NULL""",
        [time_text(NOW + timedelta(days=7)), time_text(NOW)],
    ).fetchone()
    return Pairs(stored, verified, exported, users, several, Ends(maybe_time_of(first), soon, ended))


def days_in_the_view(db: sqlite3.Connection) -> list[tuple[str, int, int]]:
    return db.execute(
        """SELECT substr(refresh_expires_at, 1, 10) AS day,
                  count(DISTINCT own_pair) FILTER (WHERE exported_at IS NULL),
                  count(DISTINCT own_pair) FILTER (WHERE exported_at IS NOT NULL)
           FROM pairs WHERE day IS NOT NULL GROUP BY day ORDER BY day"""
    ).fetchall()


def told_in_the_view(db: sqlite3.Connection) -> list[tuple[str, str, str]]:
    return db.execute(
        """SELECT c.key, coalesce(p.refresh_expires_at, ''), coalesce(p.exported_at, '')
           FROM connections c LEFT JOIN pairs p ON p.key = c.key"""
    ).fetchall()


OF_ANN = tuple(Pair(number, "ann", None, *(False,) * 4) for number in (1, 2))
OTHERWISE_THE_SECOND_TIME = Holding(
    (None,) * CONNECTIONS, OF_ANN, (True, True), frozenset({(1, 1, 1, 1), (1, 2, 2, 1), (2, 2, 2, 2)})
)


@example(OTHERWISE_THE_SECOND_TIME)
@settings(max_examples=400)
@given(what=holdings())
def test_pairs_are_counted_as_the_views_show_them(ledger: sqlite3.Connection, what: Holding) -> None:
    ledger.execute("BEGIN")
    try:
        hold(ledger, what)
        assert pair_counts(ledger, NOW) == counted_in_the_views(ledger)
        assert list(days_of_end(ledger)) == days_in_the_view(ledger)
        told = [(row.key, row.refresh_expires_at, row.exported_at) for row in listed(ledger)]
        assert sorted(told) == sorted(told_in_the_view(ledger))
    finally:
        ledger.execute("ROLLBACK")


standings = st.tuples(
    st.sampled_from(State), st.sampled_from(["", "one", "other"]), st.sampled_from(["", "partner"])
)


@settings(max_examples=50)
@given(
    actions=st.lists(st.sampled_from(Action), max_size=12),
    stand=st.tuples(*[standings] * CONNECTIONS),
)
def test_calls_and_states_are_counted_as_their_tables_have_them(
    ledger: sqlite3.Connection, actions: list[Action], stand: tuple[tuple[State, str, str], ...]
) -> None:
    ledger.execute("BEGIN")
    try:
        ledger.execute("DELETE FROM attempts")
        for action in actions:
            call(ledger, action)
        for number, (state, reason, app_type) in enumerate(stand, start=1):
            ledger.execute(
                "UPDATE connections SET state = ?, reason = ?, app_type = ? WHERE id = ?",
                [state, reason, app_type, number],
            )
        told = read_status(ledger, NOW)
        assert list(told.attempts.items()) == [
            (action.value, actions.count(action)) for action in sorted(set(actions))
        ]
        assert told.states == {state.value: [of for of, _, _ in stand].count(state) for state in State}
        assert {
            (app_type, state): number
            for app_type, states in told.app_types.items()
            for state, number in states.items()
            if number
        } == {
            (app_type, state.value): len([1 for row in stand if (row[0], row[2]) == (state, app_type)])
            for state, _, app_type in stand
        }
        problems = [key for (key,) in ledger.execute("SELECT key FROM problems")]
        wrong = {State.FAILED, State.UNCERTAIN, State.IN_FLIGHT}
        assert problems == [
            str(number)
            for number, (state, reason, _) in enumerate(stand, start=1)
            if state in wrong or (state is State.MIGRATED and reason)
        ]
    finally:
        ledger.execute("ROLLBACK")


BIG = ("connections", "attempts", "token_pairs", "legacy_tokens")


def test_no_table_is_read_from_its_beginning_to_its_end(ledger: sqlite3.Connection) -> None:
    statements: list[str] = []
    ledger.set_trace_callback(statements.append)
    read_status(ledger, NOW)
    list(days_of_end(ledger))
    ledger.set_trace_callback(None)
    plans = [
        (statement, step)
        for statement in statements
        for _, _, _, step in ledger.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]
    assert any("INDEX token_pairs_by_user" in step for _, step in plans), "no plan: the test shows nothing"
    tables = {f"SCAN {name}" for name in (*BIG, "p", "c", "h")}  # with an index it says so behind that
    assert [plan for plan in plans if plan[1] in tables] == []
