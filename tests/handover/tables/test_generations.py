"""An older pair never takes the place of a newer one, whoever writes last: the database sees to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import mysql

from migrator.errors import OutputError
from migrator.handover.tables import postgresql_copy
from migrator.handover.tables.database_table import write_table
from migrator.handover.tables.writing import upsert
from migrator.sources.sql_connection import DatabaseUrl
from tests.postgres import Database

COLUMNS = "access_token text, refresh_token text, generation bigint"

NAMES = "connection_id, access_token, refresh_token, generation"

UPSERTED = f"connection_id text PRIMARY KEY, {COLUMNS}"
BY_ROW = f"connection_id text, {COLUMNS}"
"""Without a unique key no statement can upsert: rows are updated one by one."""


def row(key: str, generation: int) -> dict[str, object]:
    return {
        "connection_id": key,
        "access_token": f"A{generation}",
        "refresh_token": f"R{generation}",
        "generation": generation,
    }


def write(text: str, rows: list[dict[str, object]]) -> int:
    return write_table(DatabaseUrl.parse(text), rows, key="connection_id", delivery_id=str(uuid4()))


def seen(postgres: Database, table: str = "pairs") -> list[tuple[object, ...]]:
    return postgres.execute(f"SELECT {NAMES} FROM {table} ORDER BY 1")


WAYS = pytest.mark.parametrize("way", ["made", "copied", "upserted", "by row"])


def prepare(postgres: Database, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way != "made":
        postgres.execute(f"CREATE TABLE pairs ({BY_ROW if way == 'by row' else UPSERTED})")
    if way == "upserted":
        monkeypatch.setattr(postgresql_copy, "may_stage", lambda _: False)


@WAYS
def test_the_newer_pair_stays_whichever_came_last(
    postgres: Database, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    prepare(postgres, way, monkeypatch)
    url = postgres.url("pairs")
    write(url, [row("k", 7), row("l", 3)])
    write(url, [row("k", 5), row("l", 4), row("m", 1)])
    assert seen(postgres) == [("k", "A7", "R7", 7), ("l", "A4", "R4", 4), ("m", "A1", "R1", 1)]


@WAYS
def test_what_the_application_refreshed_is_not_put_back(
    postgres: Database, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    prepare(postgres, way, monkeypatch)
    url = postgres.url("pairs")
    write(url, [row("k", 7)])
    postgres.execute("UPDATE pairs SET access_token = 'fresh', refresh_token = 'fresh'")
    write(url, [row("k", 7)])
    assert seen(postgres) == [("k", "fresh", "fresh", 7)], "the same pair came once more"


@pytest.mark.parametrize("way", ["copied", "upserted", "by row"])
def test_a_row_that_was_there_before_any_of_ours_gets_its_pair(
    postgres: Database, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    prepare(postgres, way, monkeypatch)
    postgres.execute("INSERT INTO pairs VALUES ('k', NULL, 'legacy', NULL)")
    write(postgres.url("pairs"), [row("k", 1)])
    assert seen(postgres) == [("k", "A1", "R1", 1)]


@given(st.lists(st.tuples(st.sampled_from("kl"), st.integers(1, 4)), min_size=2, max_size=5))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_order_the_newest_of_each_stands_in_every_kind_of_table(
    postgres: Database, tmp_path: Path, written: list[tuple[str, int]]
) -> None:
    postgres.execute(f"DROP TABLE IF EXISTS upserted, by_row; CREATE TABLE by_row ({BY_ROW})")
    (tmp_path / "app.db").unlink(missing_ok=True)
    in_file = f"sqlite:///{tmp_path}/app.db?table=pairs"
    for key, generation in written:
        for url in (postgres.url("upserted"), postgres.url("by_row"), in_file):
            write(url, [row(key, generation)])
    newest = {key: max(each for other, each in written if other == key) for key, _ in written}
    expected = [(key, f"A{each}", f"R{each}", each) for key, each in sorted(newest.items())]
    assert seen(postgres, "upserted") == expected
    assert seen(postgres, "by_row") == expected
    with closing(sqlite3.connect(tmp_path / "app.db")) as db:
        rows = db.execute(
            "SELECT connection_id, access_token, refresh_token, generation FROM pairs ORDER BY 1"
        )
        assert rows.fetchall() == expected


def test_a_table_without_the_column_is_refused_and_how_to_add_it_is_said(postgres: Database) -> None:
    postgres.execute(
        "CREATE TABLE pairs (connection_id text PRIMARY KEY, access_token text, refresh_token text)"
    )
    with pytest.raises(OutputError) as caught:
        write(postgres.url("pairs"), [row("k", 1)])
    assert caught.value.message.endswith("the table has no column generation")
    assert "ALTER TABLE … ADD COLUMN generation BIGINT" in caught.value.hint
    postgres.execute("ALTER TABLE pairs ADD COLUMN generation BIGINT")
    assert write(postgres.url("pairs"), [row("k", 1)]) == 1


def test_the_column_that_is_made_holds_every_generation(postgres: Database) -> None:
    write(postgres.url("pairs"), [row("k", 1_800_000_000_000_000)])
    (kind,) = postgres.execute(
        "SELECT data_type FROM information_schema.columns"
        " WHERE table_name = 'pairs' AND column_name = 'generation'"
    )
    assert kind == ("bigint",)


def test_mysql_decides_each_column_by_the_generation_which_it_writes_last() -> None:
    # There is no server here: the statement is held against MySQL's rule, which works from left to right.
    table = sqlalchemy.table(
        "pairs", *map(sqlalchemy.column, ("id", "generation", "access_token", "refresh_token"))
    )
    statement = str(upsert(table, "mysql", "id").compile(dialect=mysql.dialect()))
    older = "pairs.generation IS NULL OR pairs.generation < VALUES(generation)"
    assert " ".join(statement.split()) == (
        "INSERT INTO pairs (id, generation, access_token, refresh_token) VALUES (%s, %s, %s, %s) "
        "ON DUPLICATE KEY UPDATE "
        f"access_token = if({older}, VALUES(access_token), pairs.access_token), "
        f"refresh_token = if({older}, VALUES(refresh_token), pairs.refresh_token), "
        f"generation = if({older}, VALUES(generation), pairs.generation)"
    )
