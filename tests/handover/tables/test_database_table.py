"""Pairs into a table: all of them or none, of a real PostgreSQL server or a SQLite file."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy
from sqlalchemy.dialects import mysql

from migrator.errors import ExitCode, OutputError
from migrator.handover.tables import target
from migrator.handover.tables.database_table import write_table
from migrator.handover.tables.writing import upsert
from migrator.sources.sql_connection import DatabaseUrl
from tests.postgres import PASSWORD, Database
from tests.sources.helpers import SECRET, whole_text

EXPIRES = datetime(2026, 1, 2, 3, 4, 5, 600000, tzinfo=timezone(timedelta(hours=2)))


def row(key: object, access: str = "A", **further: object) -> dict[str, object]:
    return {"connection_id": key, "access_token": access, "refresh_token": "R", **further}


def write(text: str, rows: Iterable[dict[str, object]], key: str = "connection_id") -> int:
    return write_table(DatabaseUrl.parse(text), rows, key=key, delivery_id=str(uuid4()))


def refusal(text: str, rows: Iterable[dict[str, object]]) -> OutputError:
    with pytest.raises(OutputError) as caught:
        write(text, rows)
    assert caught.value.exit_code is ExitCode.USAGE
    for secret in (SECRET, PASSWORD):
        assert secret not in whole_text(caught.value)
    assert caught.value.hint
    return caught.value


def read_sqlite(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


# --- a table that is made ---


def test_a_table_is_made_if_there_is_none(postgres: Database) -> None:
    rows = [
        row("k1", "Ünï'%s", expires_at=None, n=7, odd={"a": [1]}, yes=True),
        row("k2", expires_at=EXPIRES, n=None, odd=None, yes=None),
    ]
    assert write(postgres.url("pairs"), rows) == 2
    types = postgres.execute(
        "SELECT column_name, data_type, character_maximum_length FROM information_schema.columns "
        "WHERE table_name = 'pairs' ORDER BY ordinal_position"
    )
    assert types == [
        ("connection_id", "character varying", 255),
        ("access_token", "text", None),
        ("refresh_token", "text", None),
        ("expires_at", "timestamp with time zone", None),
        ("n", "text", None),
        ("odd", "text", None),
        ("yes", "text", None),
    ]
    assert postgres.execute("SELECT * FROM pairs ORDER BY 1") == [
        ("k1", "Ünï'%s", "R", None, "7", '{"a": [1]}', "true"),
        ("k2", "A", "R", EXPIRES, None, None, None),
    ]
    with pytest.raises(Exception, match="duplicate key"):
        postgres.execute("INSERT INTO pairs VALUES ('k1')")


def test_in_sqlite_too_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    assert write(f"sqlite:///{path}?table=pairs", [row("k1", expires_at=EXPIRES, big=2**70)]) == 1
    assert write(f"sqlite:///{path}?table=pairs", [row("k1", "B", expires_at=EXPIRES, big=None)]) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_sqlite(path, "SELECT * FROM pairs") == [
        ("k1", "B", "R", "2026-01-02T01:04:05.600000+00:00", None)
    ]


def test_a_new_table_may_stand_in_a_schema_and_have_any_name(postgres: Database) -> None:
    postgres.execute("CREATE SCHEMA app")
    name = 'app.Odd %s "%(x)s" :t'
    for access in ("A", "B"):
        assert write(postgres.url(name), [row("k", access, **{'50% %(y)s "z" :n': "v"})]) == 1
    quoted = 'app."Odd %s ""%(x)s"" :t"'
    assert postgres.execute(f"SELECT * FROM {quoted}") == [("k", "B", "R", "v")]
    assert "3F000" in refusal(postgres.url("gone.pairs"), [row("k")]).message


def test_no_rows_are_no_reason_to_make_anything(postgres: Database, tmp_path: Path) -> None:
    assert write(postgres.url("pairs"), []) == 0
    assert postgres.execute("SELECT to_regclass('pairs')") == [(None,)]
    assert write(f"sqlite:///{tmp_path}/app.db?table=pairs", []) == 0
    assert list(tmp_path.iterdir()) == []


# --- a table that is there ---


def test_writing_twice_updates_and_leaves_other_rows_and_columns_alone(postgres: Database) -> None:
    postgres.execute(
        "CREATE TABLE pairs "
        "(connection_id text PRIMARY KEY, note text, access_token text, refresh_token text)"
    )
    postgres.execute("INSERT INTO pairs VALUES ('old', 'kept', 'O', 'O'), ('k1', 'mine', NULL, NULL)")
    for access in ("A", "B"):
        assert write(postgres.url("pairs"), [row(f"k{n}", access) for n in range(1, 1002)]) == 1001
    assert postgres.execute("SELECT access_token, count(*) FROM pairs GROUP BY 1 ORDER BY 1") == [
        ("B", 1001),
        ("O", 1),
    ]
    assert postgres.execute("SELECT * FROM pairs WHERE note IS NOT NULL ORDER BY 1") == [
        ("k1", "mine", "B", "R"),
        ("old", "kept", "O", "O"),
    ]


class Kind(StrEnum):
    PARTNER = "partner"


def test_the_applications_own_types_are_served(postgres: Database) -> None:
    postgres.execute(
        "CREATE TABLE pairs (connection_id bigint PRIMARY KEY, tenant uuid, access_token varchar(10), "
        "refresh_token text, expires_at timestamp, meta jsonb, app_type text, n int)"
    )
    tenant = "6a1f0f0e-7d4a-4b52-9d1e-1d2f3a4b5c6d"
    rows = [row("17", tenant=tenant, expires_at=EXPIRES, meta={"a": 1}, app_type=Kind.PARTNER, n="3")]
    for _ in range(2):
        assert write(postgres.url("pairs"), rows) == 1
    assert postgres.execute(
        "SELECT connection_id, tenant::text, expires_at, meta, app_type, n FROM pairs"
    ) == [(17, tenant, EXPIRES.astimezone(UTC).replace(tzinfo=None), {"a": 1}, "partner", 3)]


def test_columns_that_the_table_has_not_are_passed_over_and_named(
    postgres: Database, caplog: pytest.LogCaptureFixture
) -> None:
    postgres.execute(
        "CREATE TABLE pairs (connection_id text PRIMARY KEY, access_token text, refresh_token text)"
    )
    assert write(postgres.url("pairs"), [row("k", organisation=SECRET, scope=SECRET)]) == 1
    (message,) = [text for name, _, text in caplog.record_tuples if name.endswith(".target")]
    assert message.endswith("not written, for want of such columns: organisation, scope")
    assert SECRET not in message
    assert PASSWORD not in message


def test_a_table_without_the_needed_columns_is_refused(postgres: Database) -> None:
    postgres.execute("CREATE TABLE pairs (connection_id text PRIMARY KEY, access_token text)")
    assert refusal(postgres.url("pairs"), [row("k", SECRET)]).message.endswith("has no column refresh_token")
    postgres.execute("CREATE TABLE other (id int)")
    assert "no column connection_id and no column access_token and no column refresh_token" in (
        refusal(postgres.url("other"), [row("k")]).message
    )
    assert "names no table" in refusal(postgres.url(), [row("k")]).message


@pytest.mark.parametrize(
    "definition",
    [
        "connection_id text, note text NOT NULL DEFAULT ''",
        "connection_id text, note text NOT NULL DEFAULT '', UNIQUE (connection_id, note)",
        "connection_id text PRIMARY KEY, note text NOT NULL",
    ],
)
def test_where_one_statement_cannot_do_it_two_can(postgres: Database, definition: str) -> None:
    postgres.execute(f'CREATE TABLE "p%s" ({definition}, access_token text, refresh_token text)')
    postgres.execute("INSERT INTO \"p%s\" VALUES ('k1', 'kept'), ('k2', 'too')")
    for access in ("A", "B"):
        assert write(postgres.url("p%s"), [row("k1", access), row("k2", access)]) == 2
    assert postgres.execute('SELECT * FROM "p%s" ORDER BY 1') == [
        ("k1", "kept", "B", "R"),
        ("k2", "too", "B", "R"),
    ]
    if "DEFAULT" in definition:
        assert write(postgres.url("p%s"), [row("k3")]) == 1
        assert write(postgres.url("p%s"), [row("k3")]) == 1
        assert postgres.execute('SELECT count(*) FROM "p%s"') == [(3,)]
    else:
        assert "column note" in refusal(postgres.url("p%s"), [row("k1", "C"), row("k3", SECRET)]).message
        assert postgres.execute('SELECT DISTINCT access_token FROM "p%s"') == [("B",)]


@pytest.mark.parametrize("index", ["(lower(connection_id))", "(connection_id) WHERE connection_id <> 'k'"])
def test_an_index_of_another_kind_of_uniqueness_does_not_pass_for_one(postgres: Database, index: str) -> None:
    postgres.execute("CREATE TABLE pairs (connection_id text, access_token text, refresh_token text)")
    postgres.execute(f"CREATE UNIQUE INDEX odd ON pairs {index}")
    for _ in range(2):
        assert write(postgres.url("pairs"), [row("k"), row("l")]) == 2
    assert postgres.execute("SELECT count(*) FROM pairs") == [(2,)]


def test_several_rows_of_one_key_are_refused(postgres: Database) -> None:
    postgres.execute("CREATE TABLE pairs (connection_id text, access_token text, refresh_token text)")
    postgres.execute("INSERT INTO pairs VALUES ('k', 'O', 'O'), ('k', 'O', 'O')")
    error = refusal(postgres.url("pairs"), [row("j"), row("k", SECRET)])
    assert "several rows with the same connection_id" in error.message
    assert postgres.execute("SELECT DISTINCT access_token FROM pairs") == [("O",)]


def test_nobody_adds_a_row_between_update_and_insert(postgres: Database) -> None:
    postgres.execute("CREATE TABLE pairs (connection_id text, access_token text, refresh_token text)")
    blocked = threading.Event()
    others: list[threading.Thread] = []

    def add() -> None:
        postgres.execute("INSERT INTO pairs VALUES ('k999', 'O', 'O')")
        blocked.set()

    def rows() -> Iterator[dict[str, object]]:
        for number in range(1000):
            if number == 600:
                others.append(threading.Thread(target=add))
                others[0].start()
                assert not blocked.wait(0.5), "another program wrote into the table"
            yield row(f"k{number}")

    assert write(postgres.url("pairs"), rows()) == 1000
    others[0].join(30)
    assert blocked.is_set()


def test_a_type_that_is_not_known_is_no_matter(postgres: Database) -> None:
    postgres.execute("CREATE TYPE place AS (x int, y int)")
    postgres.execute(
        "CREATE TABLE pairs (connection_id text UNIQUE, at place, access_token text, refresh_token text)"
    )
    assert write(postgres.url("pairs"), [row("k")]) == 1


def test_columns_that_fill_themselves_do_not_keep_from_inserting(postgres: Database) -> None:
    postgres.execute(
        "CREATE TABLE pairs (id serial, i int GENERATED ALWAYS AS IDENTITY, d text NOT NULL DEFAULT '', "
        "n text, k text NOT NULL, g text NOT NULL GENERATED ALWAYS AS ('g' || k) STORED)"
    )
    engine = sqlalchemy.create_engine(DatabaseUrl.parse(postgres.url()).to_connect())
    columns = sqlalchemy.inspect(engine).get_columns("pairs")
    engine.dispose()
    assert target._can_insert(columns, ["k"])
    assert not target._can_insert(columns, ["n"])


# --- all or nothing ---


@pytest.mark.parametrize("bad", ["NUL \0 " + SECRET, SECRET * 100, "\ud800" + SECRET])
def test_a_row_that_the_database_refuses_leaves_the_table_as_it_was(postgres: Database, bad: str) -> None:
    postgres.execute(
        "CREATE TABLE pairs (connection_id text PRIMARY KEY, access_token varchar(99), refresh_token text)"
    )
    write(postgres.url("pairs"), [row("k1", "O")])
    refusal(postgres.url("pairs"), (row(f"k{n}", bad if n == 1234 else "A") for n in range(2000)))
    assert postgres.execute("SELECT * FROM pairs") == [("k1", "O", "R")]


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
def test_rows_that_end_in_an_error_leave_nothing(
    postgres: Database, tmp_path: Path, fault: type[BaseException]
) -> None:
    def rows() -> Iterator[dict[str, object]]:
        yield from (row(f"k{n}") for n in range(1234))
        raise fault

    path = tmp_path / "app.db"
    for text in (postgres.url("pairs"), f"sqlite:///{path}?table=pairs"):
        with pytest.raises(fault):
            write(text, rows())
    assert postgres.execute("SELECT to_regclass('pairs')") == [(None,)]
    assert read_sqlite(path, "SELECT * FROM sqlite_master") == []


def test_rows_of_other_columns_and_times_without_zone_are_a_fault_of_the_caller(postgres: Database) -> None:
    with pytest.raises(ValueError, match="differ"):
        write(postgres.url("pairs"), [row("k1"), row("k2", more=1)])
    with pytest.raises(ValueError, match="zone"):
        write(postgres.url("pairs"), [row("k1", expires_at=datetime(2026, 1, 1))])  # noqa: DTZ001
    assert postgres.execute("SELECT to_regclass('pairs')") == [(None,)]


KILLED = """
import os, signal
from migrator.sources.sql_connection import DatabaseUrl
from migrator.handover.tables.database_table import write_table
def rows():
    for n in range(5000):
        if n == 4321:
            os.kill(os.getpid(), signal.SIGKILL)
        yield {"connection_id": f"k{n}", "access_token": "NEW", "refresh_token": "R"}
write_table(DatabaseUrl.parse(input()), rows(), key="connection_id", delivery_id="killed")
"""


def test_a_kill_in_the_middle_leaves_nothing(postgres: Database, tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    for text in (postgres.url("pairs"), f"sqlite:///{path}?table=pairs"):
        write(text, [row("k1", "OLD")])
        killed = subprocess.run([sys.executable, "-c", KILLED], input=text.encode(), check=False, timeout=60)
        assert killed.returncode == -signal.SIGKILL
    assert postgres.execute("SELECT * FROM pairs") == [("k1", "OLD", "R")]
    assert read_sqlite(path, "SELECT * FROM pairs") == [("k1", "OLD", "R")]
    for text in (postgres.url("pairs"), f"sqlite:///{path}?table=pairs"):
        assert write(text, [row("k1", "NEW")]) == 1, "nothing is left that blocks"


# --- what is refused ---


def test_a_database_that_refuses_shows_no_password_and_no_row(postgres: Database) -> None:
    assert "password authentication failed" in (
        refusal(postgres.url("pairs", password=SECRET), [row("k", SECRET)]).message
    )
    postgres.execute("CREATE ROLE reader LOGIN PASSWORD 'reader'")
    postgres.execute(
        "CREATE TABLE pairs (connection_id text PRIMARY KEY, access_token text, refresh_token text)"
    )
    reader = f"postgresql://reader:reader@127.0.0.1:{postgres.port}/{postgres.name}?table=pairs"
    error = refusal(reader, [row("k", SECRET)])
    assert "migrator_deliveries, which tells what has arrived, cannot be made" in error.message
    assert "CREATE TABLE migrator_deliveries ( id VARCHAR(64) NOT NULL," in error.hint
    postgres.may_deliver("reader")
    assert "permission denied for table pairs" in refusal(reader, [row("k", SECRET)]).message
    postgres.execute("DROP OWNED BY reader")
    postgres.execute("DROP ROLE reader")
    postgres.execute("ALTER TABLE pairs ALTER access_token TYPE int USING 0")
    assert "InvalidTextRepresentation" in refusal(postgres.url("pairs"), [row("k", SECRET)]).message


def test_a_sqlite_file_that_cannot_be_made_or_used_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(f"sqlite:///{tmp_path}/gone/app.db?table=t", [row("k", SECRET)]).message
    assert "names no file" in refusal("sqlite://?table=t", [row("k")]).message
    text = tmp_path / "text"
    text.write_text("that is no database" * 100)
    assert "SQLITE_NOTADB" in refusal(f"sqlite:///{text}?table=t", [row("k", SECRET)]).message


# --- MySQL, of which there is no server here ---


def test_mysqls_upsert() -> None:
    table = sqlalchemy.table("pairs", *map(sqlalchemy.column, ("id", "access_token", "refresh_token")))
    statement = str(upsert(table, "mysql", "id").compile(dialect=mysql.dialect()))
    assert " ".join(statement.split()) == (
        "INSERT INTO pairs (id, access_token, refresh_token) VALUES (%s, %s, %s) "
        "ON DUPLICATE KEY UPDATE access_token = VALUES(access_token), refresh_token = VALUES(refresh_token)"
    )


def test_mysqls_upsert_is_not_used_where_it_could_hit_another_row() -> None:
    key, tenant, both = frozenset(["key"]), frozenset(["tenant"]), frozenset(["key", "tenant"])
    ours = ["key", "tenant", "access_token"]
    is_only = target._is_only_conflict
    assert is_only([key, frozenset(["id"])], "key", ours, "mysql")
    assert not is_only([key, tenant], "key", ours, "mysql")
    assert not is_only([key, both], "key", ours, "mysql")
    assert not is_only([key, frozenset([None])], "key", ours, "mysql")
    assert is_only([key, tenant], "key", ours, "postgresql"), "it names the key, and else fails"
    assert not is_only([tenant], "key", ours, "postgresql")
