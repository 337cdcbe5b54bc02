"""No connection's pair stands in the row of another, whose key the database takes for the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from migrator.errors import OutputError
from migrator.handover.tables import postgresql_copy
from migrator.handover.tables.database_table import write_table
from migrator.sources.sql_connection import DatabaseUrl
from tests.postgres import Database

COLUMNS = "access_token text, refresh_token text"
SAME = "takes the connection_id of two connections for the same"


@pytest.fixture(params=["copy", "statements"])
def anyhow(request: pytest.FixtureRequest, postgres: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database with a collation that ignores case, to which rows come by each way there is."""
    if request.param == "statements":
        monkeypatch.setattr(postgresql_copy, "may_stage", lambda connection: connection is None)
    postgres.execute(
        "CREATE COLLATION anyhow (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
    )
    return postgres


def write(url: str, **pairs: str) -> int:
    """Write access tokens under their keys, as an export does."""
    rows = [{"connection_id": key, "access_token": pair, "refresh_token": "R"} for key, pair in pairs.items()]
    return write_table(DatabaseUrl.parse(url), rows, key="connection_id", delivery_id=str(uuid4()))


def refusal(url: str, **pairs: str) -> str:
    with pytest.raises(OutputError) as caught:
        write(url, **pairs)
    return caught.value.message


def test_a_row_that_is_there_is_not_written_over_by_another_connections(anyhow: Database) -> None:
    anyhow.execute(f"CREATE TABLE pairs (connection_id text COLLATE anyhow PRIMARY KEY, {COLUMNS})")
    assert write(anyhow.url("pairs"), ada="hers", bob="his") == 2
    assert write(anyhow.url("pairs"), ada="newer", cyd="another") == 2
    assert refusal(anyhow.url("pairs"), dan="his", Ada="another's").endswith(SAME)
    kept = anyhow.execute("SELECT connection_id, access_token FROM pairs ORDER BY 1")
    assert kept == [("ada", "newer"), ("bob", "his"), ("cyd", "another")]


@pytest.mark.parametrize("kind", ["char(9)", "varchar(9)", "uuid", "bigint", "numeric"])
def test_one_key_that_is_spelled_in_two_ways_is_one(anyhow: Database, kind: str) -> None:
    key = "0C0FFEE0-0000-4000-8000-000000000000" if kind == "uuid" else "007"
    anyhow.execute(f"CREATE TABLE pairs (connection_id {kind} PRIMARY KEY, {COLUMNS})")
    for pair in ("first", "second"):
        assert write(anyhow.url("pairs"), **{key: pair}) == 1
    assert anyhow.execute("SELECT access_token FROM pairs") == [("second",)]


@pytest.mark.parametrize("is_unique", [True, False])
def test_nor_is_one_in_sqlite_whether_one_statement_writes_it_or_several(
    tmp_path: Path, *, is_unique: bool
) -> None:
    path = tmp_path / "application.db"
    with closing(sqlite3.connect(path)) as db:
        of_key = "connection_id text COLLATE NOCASE" + " PRIMARY KEY" * is_unique
        db.execute(f"CREATE TABLE pairs ({of_key}, {COLUMNS})")
    url = f"sqlite:///{path}?table=pairs"
    assert write(url, ada="hers") == 1
    assert refusal(url, Ada="another's").endswith(SAME)
    assert refusal(url, Bob="his", bob="another's").endswith(SAME)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT connection_id, access_token FROM pairs").fetchall() == [("ada", "hers")]
