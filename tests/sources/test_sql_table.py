"""Tables and queries of databases: read from a real PostgreSQL server, never written, quoting no secret."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from migrator.cli import cli
from migrator.errors import InputError
from migrator.models import Reject
from migrator.sources import Row, Source, open_source
from tests.conftest import SetScene
from tests.postgres import PASSWORD, USER, Database
from tests.sources.helpers import SECRET, XERO, outline, values, whole_text

TABLE = "CREATE TABLE tokens (oauth_token text, app_type text, n int)"


def opened(url: str, query: str | None = None) -> Source:
    return open_source(url, stdin=io.BytesIO(), rules=XERO, query=query)


def rows(url: str, query: str | None = None) -> list[Row | Reject]:
    return list(opened(url, query).rows())


def refusal(url: str, query: str | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        rows(url, query)
    for secret in (SECRET, PASSWORD):
        assert secret not in whole_text(caught.value)
    assert caught.value.hint
    return caught.value


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether it comes true within some seconds: a server takes its time to see that a client has gone."""
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_a_table_is_read_in_its_order_and_nulls_stay_nulls(postgres: Database) -> None:
    postgres.execute(TABLE)
    postgres.execute("INSERT INTO tokens VALUES ('T1', 'partner', 7), ('Ünï', NULL, NULL), ('', '', -1)")
    read = rows(postgres.url("tokens"))
    assert outline(read) == [(1, "row"), (2, "row"), (3, "row")]
    assert values(read) == [
        {"oauth_token": "T1", "app_type": "partner", "n": 7},
        {"oauth_token": "Ünï", "app_type": None, "n": None},
        {"oauth_token": "", "app_type": "", "n": -1},
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("true", True),
        ("9223372036854775807", 9223372036854775807),
        ("1.5::float8", 1.5),
        ("'NaN'::float8", "nan"),
        ("12.50::numeric", "12.50"),
        ("'6a1f0f0e-7d4a-4b52-9d1e-1d2f3a4b5c6d'::uuid", "6a1f0f0e-7d4a-4b52-9d1e-1d2f3a4b5c6d"),
        ("'2026-01-02 03:04:05.5+05:45'::timestamptz", "2026-01-01 21:19:05.5+00"),
        ("'2026-01-02 03:04:05'::timestamp", "2026-01-02 03:04:05"),
        ("'infinity'::timestamptz", "infinity"),
        ("'0044-03-15 BC'::date", "0044-03-15 BC"),
        ("'24:00'::time", "24:00:00"),
        ("'1 month 2 days'::interval", "P1M2D"),
        ("'text'::bytea", "text"),
        ("""'{"a": [1, null]}'::jsonb""", {"a": [1, None]}),
        ("ARRAY[1.5, 2]::numeric[]", ["1.5", "2"]),
        ("ARRAY['\\xff'::bytea, 'a']", ["ff", "a"]),
        ("'10.0.0.1'::inet", "10.0.0.1"),
        ("'[1,3)'::int4range", "[1, 3)"),
    ],
)
def test_values_are_as_json_may_have_them(postgres: Database, expression: str, expected: object) -> None:
    postgres.execute(
        f"CREATE VIEW tokens AS SELECT 'T' AS oauth_token, 'partner' AS app_type, {expression} AS x"
    )
    (row,) = values(rows(postgres.url("tokens")))
    assert row["x"] == expected
    json.dumps(row, allow_nan=False)


def test_bytes_that_are_no_text_cost_their_row_only(postgres: Database) -> None:
    postgres.execute("CREATE TABLE tokens (oauth_token text, app_type text, b bytea)")
    postgres.execute(f"INSERT INTO tokens VALUES ('{SECRET}', 'partner', '\\xff00'), ('T2', 'partner', NULL)")
    read = rows(postgres.url("tokens"))
    assert outline(read) == [(1, "bad_encoding"), (2, "row")]
    assert "Column b " in repr(read[0])
    assert SECRET not in repr(read)
    assert PASSWORD not in repr(read)


@pytest.mark.parametrize("table", ["tokens", "Odd %s %(x)s %% :t", 'quo"ted', "se.lect", "ünï"])
def test_any_name_of_a_table_or_column_will_do(postgres: Database, table: str) -> None:
    quoted = '"' + table.replace('"', '""') + '"'
    postgres.execute(f'CREATE TABLE {quoted} (oauth_token text, app_type text, "100% %(y)s :z" int)')
    postgres.execute(f"INSERT INTO {quoted} VALUES ('T', 'partner', 3)")
    assert values(rows(postgres.url(table))) == [
        {"oauth_token": "T", "app_type": "partner", "100% %(y)s :z": 3}
    ]


def test_a_table_may_stand_in_a_schema(postgres: Database) -> None:
    postgres.execute("CREATE SCHEMA app")
    postgres.execute(TABLE.replace("tokens", "app.tokens"))
    assert rows(postgres.url("app.tokens")) == []


def test_a_query_is_handed_on_as_it_is(postgres: Database) -> None:
    postgres.execute(TABLE)
    postgres.execute("INSERT INTO tokens VALUES ('A', 'partner', 1), ('B', 'partner', 2), ('C', 'public', 3)")
    query = """
        WITH chosen AS (SELECT * FROM tokens WHERE app_type LIKE 'part%' AND ' :n ' <> '%s' AND n % 5 > 0)
        SELECT oauth_token AS "OAuth_Token", app_type, n::text FROM chosen ORDER BY n DESC -- all of it
    """
    assert values(rows(postgres.url(), query)) == [
        {"OAuth_Token": "B", "app_type": "partner", "n": "2"},
        {"OAuth_Token": "A", "app_type": "partner", "n": "1"},
    ]
    assert len(rows(postgres.url(), "SELECT * FROM tokens ; \n")) == 3


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM tokens",
        "DELETE FROM tokens RETURNING *",
        "WITH gone AS (DELETE FROM tokens RETURNING *) SELECT * FROM gone",
        "SELECT * FROM tokens; DROP TABLE tokens",
        "SELECT * FROM tokens; COMMIT; DROP TABLE tokens",
        "SELECT * FROM tokens; COMMIT; DROP TABLE tokens; SELECT * FROM tokens",
        "SELECT *, remember() FROM tokens",
        "SELECT * INTO other FROM tokens",
    ],
)
def test_nothing_but_one_select_is_carried_out(postgres: Database, query: str) -> None:
    postgres.execute(TABLE)
    postgres.execute(f"INSERT INTO tokens VALUES ('{SECRET}', 'partner', 1)")
    postgres.execute(
        "CREATE FUNCTION remember() RETURNS int LANGUAGE sql "
        "AS 'INSERT INTO tokens VALUES (1, 2, 3); SELECT 1'"
    )
    assert "refuses" in refusal(postgres.url(), query).message
    assert postgres.execute("SELECT count(*) FROM tokens") == [(1,)]
    assert postgres.execute("SELECT to_regclass('other')") == [(None,)]


def test_a_fault_in_the_middle_ends_the_source_and_quotes_no_row(postgres: Database) -> None:
    postgres.execute(TABLE)
    postgres.execute(
        f"INSERT INTO tokens SELECT '{SECRET}' || n, 'partner', n FROM generate_series(1, 2000) n"
    )
    query = "SELECT *, CASE WHEN n > 1500 THEN oauth_token::int END AS x FROM tokens"
    read = opened(postgres.url(), query).rows()
    seen: list[Row | Reject] = []
    with pytest.raises(InputError) as caught:
        seen.extend(read)
    assert 0 < len(seen) <= 1500
    assert "InvalidTextRepresentation" in caught.value.message
    assert SECRET not in whole_text(caught.value)


TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def test_a_server_that_goes_away_is_an_error_of_ours(postgres: Database) -> None:
    postgres.execute(TABLE)
    postgres.execute("INSERT INTO tokens SELECT 'T' || n, 'partner', n FROM generate_series(1, 5000) n")
    read = opened(postgres.url("tokens")).rows()
    next(read)
    postgres.execute(TERMINATE)
    with pytest.raises(InputError, match=r"refuses \(AdminShutdown"):
        list(read)


def test_an_interruption_after_the_server_went_away_is_still_one_and_nothing_is_logged(
    postgres: Database,
) -> None:
    postgres.execute(TABLE)
    postgres.execute("INSERT INTO tokens SELECT 'T' || n, 'partner', n FROM generate_series(1, 5000) n")
    # In a process of its own: pytest handles what Python would print.
    code = f"""
import io
import psycopg
from migrator.row_rules import RowRules
from migrator.sources import open_source
url = input()
try:
    for row in open_source(url + "?table=tokens", stdin=io.BytesIO(), rules=RowRules()).rows():
        with psycopg.connect(url) as other:
            other.execute({TERMINATE!r})
        raise KeyboardInterrupt
except KeyboardInterrupt:
    print("interrupted")
"""
    finished = subprocess.run(
        [sys.executable, "-c", code],
        input=postgres.url() + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (finished.stdout, finished.stderr) == ("interrupted\n", "")


def test_a_connection_ends_with_its_reader(postgres: Database) -> None:
    postgres.execute(TABLE)
    postgres.execute("INSERT INTO tokens SELECT 'T' || n, 'partner', n FROM generate_series(1, 5000) n")
    read = opened(postgres.url("tokens")).rows()
    next(read)
    clients = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    assert postgres.execute(clients) == [(2,)]
    assert isinstance(read, Generator)
    read.close()
    assert eventually(lambda: postgres.execute(clients) == [(1,)]), "the connection is still open"


def test_the_wrong_table_is_refused_with_the_names_there_are(postgres: Database) -> None:
    assert "There is none" in refusal(postgres.url("tokens")).hint
    postgres.execute(TABLE)
    postgres.execute("CREATE VIEW people AS SELECT 1 AS oauth_token")
    error = refusal(postgres.url("token"))
    assert error.message.endswith("has no table token")
    assert error.hint.endswith("people, tokens")
    assert "names no table" in refusal(postgres.url()).message
    assert refusal(postgres.url("people")).message.endswith("the table has no column app_type")
    assert "names a table, and there is a query" in refusal(postgres.url("tokens"), "SELECT 1").message


def test_columns_of_one_meaning_are_refused(postgres: Database) -> None:
    query = "SELECT 'T' AS oauth_token, 'partner' AS app_type, 1 AS app_type"
    assert "the query names the column app_type more than once (columns 2 and 3)" in (
        refusal(postgres.url(), query).message
    )


def test_the_name_is_the_url_without_its_secrets_and_tells_queries_apart(postgres: Database) -> None:
    postgres.execute(TABLE)
    start = f"postgresql://{USER}:***@127.0.0.1:{postgres.port}/{postgres.name}"
    assert opened(postgres.url("tokens")).name == f"{start}?table=tokens"
    names = {opened(postgres.url(), f"SELECT * FROM tokens WHERE n = {n}").name for n in (1, 2)}
    assert len(names) == 2
    assert all(re.fullmatch(re.escape(start) + r" \[query [0-9a-f]{8}\]", name) for name in names)


def test_a_wrong_password_is_not_shown(postgres: Database) -> None:
    error = refusal(postgres.url("tokens", password=SECRET))
    assert "password authentication failed for user" in error.message


@pytest.mark.parametrize("spec", [f"mssql://me:{SECRET}@h/d", f"postgresqll://me:{SECRET}@h/d"])
def test_a_url_of_another_kind_is_not_taken_for_a_file(spec: str) -> None:
    result = CliRunner().invoke(cli, ["run", "--dry-run", spec])
    assert result.exception is not None
    assert SECRET not in whole_text(result.exception) + result.output
    assert "no database that migrator knows" in str(result.exception)


def test_a_query_goes_with_one_database_only(tmp_path: Path) -> None:
    file = tmp_path / "tokens.csv"
    file.write_text("oauth_token,app_type\n")
    with pytest.raises(InputError, match="no URL of a database"):
        opened(str(file), "SELECT 1")
    result = CliRunner().invoke(
        cli, ["run", "--dry-run", "--query", "SELECT 1", "sqlite:///a", "sqlite:///b"]
    )
    assert result.exit_code == 2
    assert "one database" in result.output


def peak_memory(url: str, count: int) -> int:
    """Bytes that a process of its own takes at its highest point, libpq's included, to read so many rows."""
    code = f"""
import io, resource
from migrator.row_rules import RowRules
from migrator.sources import open_source
query = (
    "SELECT 'TOKEN' || n AS oauth_token, 'partner' AS app_type, repeat('x', 1000) AS notes "
    "FROM generate_series(1, {count}) n"
)
rows = open_source(input(), stdin=io.BytesIO(), rules=RowRules(), query=query).rows()
assert sum(1 for _ in rows) == {count}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""
    finished = subprocess.run(
        [sys.executable, "-c", code],
        input=url + "\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return int(finished.stdout)


def test_many_rows_need_no_more_memory_than_few(postgres: Database) -> None:
    few, many = (peak_memory(postgres.url(), count) for count in (1_000, 100_000))
    assert many < few + 10_000_000, "100,000 rows of a kilobyte are a hundred million bytes"


def test_a_sqlite_database_has_a_url_too(tmp_path: Path) -> None:
    path = tmp_path / "legacy.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE tokens (oauth_token, app_type, n)")
        connection.execute(f"INSERT INTO tokens VALUES ('{SECRET}', 'partner', 1), ('T', 'public', 2)")
        connection.commit()
    before = path.read_bytes()
    url = f"sqlite:///{path}"
    assert opened(f"{url}?table=tokens").name == f"{url}?table=tokens"
    assert len(rows(f"{url}?table=tokens")) == 2
    query = "SELECT * FROM tokens WHERE app_type LIKE 'pub%' -- those"
    assert values(rows(url, query)) == [{"oauth_token": "T", "app_type": "public", "n": 2}]
    for bad in ("DELETE FROM tokens", "SELECT * FROM tokens; DROP TABLE tokens", "SELECT gone FROM tokens"):
        assert "cannot be read" in refusal(url, bad).message
    assert "has no table token" in refusal(f"{url}?table=token").message
    assert "no such file" in refusal(f"{url}x?table=tokens").message
    assert "names no file" in refusal("sqlite://?table=tokens").message
    assert "the query has no column app_type" in refusal(url, "SELECT oauth_token FROM tokens").message
    (tmp_path / "a.csv").write_text("oauth_token,app_type\n")
    assert "is not a SQLite database" in refusal(f"sqlite:///{tmp_path}/a.csv?table=t").message
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.csv", "legacy.db"]


def test_a_whole_run_from_a_database_shows_no_password_anywhere(
    set_scene: SetScene, postgres: Database
) -> None:
    scene = set_scene(10, mix="partner=1")
    header, *lines = (scene.folder / "tokens.csv").read_text("utf-8").splitlines()
    names = header.split(",")
    postgres.execute(f"CREATE TABLE tokens ({', '.join(f'{name} text' for name in names)})")
    for line in lines:
        marks = ", ".join("NULLIF(%s, '')" for _ in names)
        postgres.execute(f"INSERT INTO tokens VALUES ({marks})", *line.split(","))
    postgres.execute(
        "ALTER TABLE tokens ALTER oauth_expires_at TYPE timestamptz USING oauth_expires_at::timestamptz"
    )
    postgres.execute("INSERT INTO tokens (oauth_token, app_type) VALUES (%s, 'franchise')", SECRET)
    url = postgres.url("tokens")
    for _ in range(2):
        finished = scene.migrator("-v", "--log-file", "log", "run", url)
        assert finished.returncode == 0, finished.stderr
    assert "stands on the command line" in finished.stderr
    assert scene.states() == {"migrated": 10}
    assert scene.untrue() == []
    assert scene.status()["last_run"]["known"] == 10, "the same table says the same the second time"
    scene.environment["MIGRATOR_DATABASE_PASSWORD"] = PASSWORD
    quiet = scene.migrator("run", postgres.url(password=None), "--query", "SELECT * FROM tokens", "--dry-run")
    assert quiet.returncode == 0, quiet.stderr
    assert "command line" not in quiet.stderr
    name = f"postgresql://{USER}:***@127.0.0.1:{postgres.port}/{postgres.name}?table=tokens"
    assert scene.query("SELECT DISTINCT source, line, reason FROM rejects") == [
        (name, 11, "unknown_app_type")
    ]
    assert name in str(scene.query("SELECT sources FROM runs"))
    files = b"".join(path.read_bytes() for path in scene.folder.iterdir() if path.name != "tokens.csv")
    shown = files.decode("utf-8", "replace") + finished.stdout + finished.stderr + quiet.stdout + quiet.stderr
    for secret in (SECRET, PASSWORD, "HUSH9HUSH", url):
        assert secret not in shown
