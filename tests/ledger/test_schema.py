"""The ledger's shape: the contract's names, and no other database taken for a ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from migrator.errors import LedgerError
from migrator.ledger import schema
from migrator.ledger.file.opening import connect, create_private

COLUMNS = {
    "connections": {
        "id", "key", "provider", "app_type", "organisation", "tenant_id", "tenant_type", "contact_email",
        "user_id", "state", "reason", "updated_at", "consumer_key", "disabled_at",
    },
    "attempts": {
        "connection_id", "run_id", "action", "started_at", "finished_at", "outcome", "http_status", "problem",
        "support_id",
    },
    "token_pairs": {"connection_id", "access_token", "refresh_token"},
    "runs": {"id"},
    "rejects": {"source", "line", "reason"},
    "summary": {"app_type", "state", "reason", "connections"},
    "needs_consent": {"key", "organisation", "contact_email", "reason"},
    "problems": {"key", "state", "reason", "last_action", "last_outcome"},
}  # fmt: skip
"""The contract's tables and views; there may be more columns."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    create_private(path)
    return path


@pytest.fixture
def ledger(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(path, readonly=False)) as connection:
        schema.prepare(connection, create=True)
        yield connection


def everything(db: sqlite3.Connection) -> list[object]:
    return db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()


@pytest.mark.parametrize("name", COLUMNS)
def test_the_contracts_names_are_there(ledger: sqlite3.Connection, name: str) -> None:
    columns = {row[0] for row in ledger.execute(f"SELECT * FROM {name}").description}
    assert columns >= COLUMNS[name]


def test_preparing_twice_changes_nothing(ledger: sqlite3.Connection) -> None:
    before = everything(ledger)
    schema.prepare(ledger, create=True)
    schema.prepare(ledger, create=False)
    schema.check(ledger)
    assert everything(ledger) == before


def add(ledger: sqlite3.Connection, key: str, state: str, reason: str = "", app_type: str = "partner") -> int:
    ledger.execute("INSERT OR IGNORE INTO runs (id, command, process, started_at) VALUES (1, 'run', 1, '')")
    cursor = ledger.execute(
        """INSERT INTO connections (key, provider, app_type, organisation, tenant_id, tenant_type,
           contact_email, state, reason, row_print, run_id, updated_at)
           VALUES (?, 'xero', ?, '', '', 'ORGANISATION', '', ?, ?, x'', 1, '')""",
        [key, app_type, state, reason],
    )
    return int(cursor.lastrowid or 0)


@pytest.mark.parametrize("state", ["done", ""])
def test_no_other_state_can_be_written(ledger: sqlite3.Connection, state: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        add(ledger, "k", state)


@pytest.mark.parametrize("app_type", ["native", ""])
def test_application_types_are_the_providers(ledger: sqlite3.Connection, app_type: str) -> None:
    add(ledger, "k", "pending", app_type=app_type)
    assert ledger.execute("SELECT app_type, state FROM summary").fetchall() == [(app_type, "pending")]


def test_a_key_stands_for_one_connection(ledger: sqlite3.Connection) -> None:
    add(ledger, "k", "pending")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        add(ledger, "k", "pending")


def test_the_views_show_what_people_ask_for(ledger: sqlite3.Connection) -> None:
    add(ledger, "m", "migrated")
    add(ledger, "mismatch", "migrated", "tenant_mismatch")
    add(ledger, "consent", "needs_consent", "public_app", "public")
    for state in ("failed", "uncertain", "in_flight", "pending"):
        connection_id = add(ledger, state, state)
    for action, outcome in (("renew", "done"), ("swap", "later")):
        ledger.execute(
            """INSERT INTO attempts (connection_id, run_id, action, started_at, outcome, support_id)
               VALUES (?1, 1, ?2, '', ?3, 'of-' || ?2)""",
            [connection_id - 3, action, outcome],
        )
    assert [key for (key,) in ledger.execute("SELECT key FROM needs_consent")] == ["consent"]
    said = ledger.execute("SELECT key, last_action, last_outcome, last_support_id FROM problems").fetchall()
    assert said == [
        ("mismatch", None, None, None),
        ("failed", "swap", "later", "of-swap"),
        ("uncertain", None, None, None),
        ("in_flight", None, None, None),
    ]
    assert ledger.execute("SELECT sum(connections) FROM summary").fetchone() == (7,)
    assert ("public", "needs_consent", "public_app", 1) in ledger.execute("SELECT * FROM summary").fetchall()


@pytest.mark.parametrize("create", [True, False])
def test_somebody_elses_database_is_refused_and_left_as_it_is(path: Path, create: bool) -> None:
    with closing(connect(path, readonly=False)) as db:
        db.execute("CREATE TABLE customers (id INTEGER)")
        before = everything(db)
        with pytest.raises(LedgerError, match="not a ledger"):
            schema.prepare(db, create=create)
        with pytest.raises(LedgerError, match="not a ledger"):
            schema.check(db)
        assert everything(db) == before


def test_an_empty_database_becomes_a_ledger_only_where_one_may_be_made(path: Path) -> None:
    with closing(connect(path, readonly=False)) as db:
        with pytest.raises(LedgerError, match="not a ledger"):
            schema.check(db)
        with pytest.raises(LedgerError, match="not a ledger"):
            schema.prepare(db, create=False)
        assert everything(db) == []
        schema.prepare(db, create=True)
        schema.check(db)


def test_a_ledger_whose_making_was_cut_short_is_made_whole(path: Path) -> None:
    with closing(connect(path, readonly=False)) as db:
        schema.migrations.ensure_migrations_table(Database(db))
        schema.prepare(db, create=True)
        schema.check(db)


def from_the_future(ledger: sqlite3.Connection) -> None:
    ledger.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('migrator', 'm999', '')"
    )


def test_a_newer_versions_ledger_is_not_worked_on(ledger: sqlite3.Connection) -> None:
    from_the_future(ledger)
    with pytest.raises(LedgerError, match="newer"):
        schema.prepare(ledger, create=True)


def test_a_newer_versions_ledger_is_not_read_either(ledger: sqlite3.Connection) -> None:
    from_the_future(ledger)
    with pytest.raises(LedgerError, match="newer"):
        schema.check(ledger)


def test_checking_needs_no_write_access(ledger: sqlite3.Connection, path: Path) -> None:
    with closing(connect(path, readonly=True)) as reader:
        schema.check(reader)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("DELETE FROM runs")


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all, but longer than a header of SQLite's" * 20]
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(LedgerError), closing(connect(path, readonly=True)) as reader:
        schema.check(reader)
    assert path.read_bytes() == content


def test_a_missing_file_is_refused_and_not_made(tmp_path: Path) -> None:
    for readonly in (True, False):
        with pytest.raises(LedgerError, match="no ledger"):
            connect(tmp_path / "none.db", readonly=readonly)
    assert list(tmp_path.iterdir()) == []
