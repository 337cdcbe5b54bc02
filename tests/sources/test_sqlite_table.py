"""A table of a SQLite database: read, never written, and refused in words that quote no row."""

from __future__ import annotations

import io
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from migrator.errors import InputError
from migrator.sources import Row, open_source
from tests.sources.helpers import SECRET, XERO, outline, values, whole_text

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.models import Reject
    from migrator.sources import Source

TABLE = "CREATE TABLE tokens (oauth_token, app_type, n)"


def database(path: Path, *statements: str) -> Path:
    """A database in which these statements were carried out."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def opened(path: Path, table: str) -> Source:
    return open_source(f"{path}:{table}", stdin=io.BytesIO(), rules=XERO)


def rows(path: Path, table: str = "tokens") -> list[Row | Reject]:
    return list(opened(path, table).rows())


def refusal(path: Path, table: str = "tokens") -> InputError:
    with pytest.raises(InputError) as caught:
        rows(path, table)
    assert caught.value.message.startswith(str(path))
    assert SECRET not in whole_text(caught.value)
    return caught.value


def test_values_come_as_they_are_and_rows_are_counted(tmp_path: Path) -> None:
    path = database(
        tmp_path / "legacy.db",
        TABLE,
        "INSERT INTO tokens VALUES ('T1', 'partner', 7), ('Ünï', NULL, 1.5), ('', '', NULL)",
    )
    read = rows(path)
    assert outline(read) == [(1, "row"), (2, "row"), (3, "row")]
    assert values(read) == [
        {"oauth_token": "T1", "app_type": "partner", "n": 7},
        {"oauth_token": "Ünï", "app_type": None, "n": 1.5},
        {"oauth_token": "", "app_type": "", "n": None},
    ]


def test_the_name_is_what_the_user_wrote(tmp_path: Path) -> None:
    path = database(tmp_path / "legacy.db", TABLE)
    assert opened(path, "tokens").name == f"{path}:tokens"


def test_a_view_is_a_table(tmp_path: Path) -> None:
    path = database(
        tmp_path / "legacy.db",
        "CREATE TABLE t (a, b)",
        "INSERT INTO t VALUES ('T1', 'partner'), ('T2', 'public')",
        "CREATE VIEW tokens AS SELECT a AS oauth_token, b AS app_type FROM t WHERE b = 'public'",
    )
    assert values(rows(path)) == [{"oauth_token": "T2", "app_type": "public"}]


@pytest.mark.parametrize("table", ['odd "table"', "with:colon", "semi;colon--", "ünïcode", "select"])
def test_any_name_of_a_table_will_do(tmp_path: Path, table: str) -> None:
    quoted = '"' + table.replace('"', '""') + '"'
    path = database(tmp_path / "odd ?%20#:legacy.db", f"CREATE TABLE {quoted} (oauth_token, app_type)")
    assert rows(path, table) == []
    assert rows(path, table.upper()) == []


def test_bytes_that_are_text_are_text_and_others_cost_their_row_only(tmp_path: Path) -> None:
    path = database(
        tmp_path / "legacy.db",
        TABLE,
        "INSERT INTO tokens VALUES (CAST('T1' AS BLOB), 'partner', 1)",
        f"INSERT INTO tokens VALUES ('{SECRET}', 'partner', x'ff00')",
        f"INSERT INTO tokens VALUES (CAST('{SECRET}' || x'ff' AS TEXT), 'partner', 1)",
        "INSERT INTO tokens VALUES ('T4', 'partner', 1)",
    )
    read = rows(path)
    assert outline(read) == [(1, "row"), (2, "bad_encoding"), (3, "bad_encoding"), (4, "row")]
    assert isinstance(read[0], Row)
    assert read[0].values["oauth_token"] == "T1"
    assert "Column n " in repr(read[1])
    assert "Column oauth_token " in repr(read[2])
    assert SECRET not in repr(read)


@pytest.mark.parametrize("spec", ["", ":", ":token", ":sqlite_master", ":sqlite_sequence"])
def test_without_a_table_the_tables_are_listed(tmp_path: Path, spec: str) -> None:
    path = database(
        tmp_path / "legacy.db",
        "CREATE TABLE tokens (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        "CREATE VIEW people AS SELECT 1",
    )
    with pytest.raises(InputError) as caught:
        open_source(f"{path}{spec}", stdin=io.BytesIO(), rules=XERO)
    assert caught.value.message.startswith(str(path))
    assert caught.value.hint.endswith("legacy.db:TABLE: people, tokens")


def test_a_database_without_tables_says_so(tmp_path: Path) -> None:
    path = database(tmp_path / "legacy.db", "CREATE TABLE t (a)", "DROP TABLE t")
    assert "has none" in refusal(path).hint


def test_a_table_of_other_columns_is_refused(tmp_path: Path) -> None:
    error = refusal(database(tmp_path / "legacy.db", f"CREATE TABLE tokens (oauth_token, {SECRET})"))
    assert "has no column app_type" in error.message
    assert "oauth_token and app_type are required" in error.hint


def test_another_file_has_no_tables(tmp_path: Path) -> None:
    path = tmp_path / "legacy.db"
    path.write_text(f"app_type,oauth_token\npartner,{SECRET}\n")
    assert "is not a SQLite database" in refusal(path).message


def test_a_damaged_database_is_refused_wherever_the_damage_is(tmp_path: Path) -> None:
    path = database(
        tmp_path / "legacy.db",
        TABLE,
        f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 999) "
        f"INSERT INTO tokens SELECT '{SECRET}' || n, 'partner', n FROM c",
    )
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "is damaged" in refusal(path).message
    path.write_bytes(whole[:50] + b"\xff" * 100 + whole[150:])
    assert "is damaged" in refusal(path).message


def test_a_view_that_cannot_be_computed_is_refused_without_quoting_a_row(tmp_path: Path) -> None:
    path = database(
        tmp_path / "legacy.db",
        TABLE,
        f"INSERT INTO tokens VALUES ('{SECRET}', 'partner', 1)",
        "CREATE VIEW bad AS SELECT json_extract('{}', oauth_token) AS oauth_token, app_type FROM tokens",
        "CREATE VIEW worse AS SELECT oauth_token, app_type FROM gone",
    )
    assert "cannot be read (SQLITE_ERROR)" in refusal(path, "bad").message
    assert "cannot be read (SQLITE_ERROR)" in refusal(path, "worse").message


def test_a_locked_database_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path / "legacy.db", TABLE)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "is locked" in refusal(path).message


def test_nothing_is_written(tmp_path: Path) -> None:
    for mode in ("delete", "wal"):
        path = database(
            tmp_path / f"{mode}.db",
            f"PRAGMA journal_mode = {mode}",
            TABLE,
            "INSERT INTO tokens VALUES (1, 2, 3)",
        )
        before = path.read_bytes()
        assert len(rows(path)) == 1
        assert path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["delete.db", "wal.db"]


def test_the_log_that_a_crash_left_is_read_and_left(tmp_path: Path) -> None:
    path = database(tmp_path / "live.db", "PRAGMA journal_mode = wal", TABLE)
    left = tmp_path / "left.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("INSERT INTO tokens VALUES (1, 2, 3)")
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{left}{suffix}")
    before = left.read_bytes()
    assert len(rows(left)) == 1
    assert left.read_bytes() == before
    assert (tmp_path / "left.db-wal").stat().st_size > 0


def test_what_another_program_has_written_to_its_log_is_read(tmp_path: Path) -> None:
    path = database(tmp_path / "legacy.db", "PRAGMA journal_mode = wal", TABLE)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("INSERT INTO tokens VALUES (1, 2, 3)")
        assert len(rows(path)) == 1
