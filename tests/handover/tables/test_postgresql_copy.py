"""Rows into PostgreSQL by ``COPY``: what is in the table is what statements would have put there."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from migrator.errors import OutputError
from migrator.handover.tables import postgresql_copy
from migrator.handover.tables.database_table import write_table
from migrator.sources.sql_connection import DatabaseUrl
from tests.postgres import Database
from tests.sources.helpers import SECRET, whole_text

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 600000, tzinfo=timezone(timedelta(hours=2)))
ODD = [
    "",
    "\\N",
    "\\.",
    "\\",
    "a\tb",
    "a\nb",
    "a\r\nb",
    "\b\f\v\x01",
    "\"'",
    "Ünï 😀",
    "%s %(x)s :t",
    "NULL",
    " ",
]

Row = dict[str, object]


def row(key: object, access: object = "A", **further: object) -> Row:
    return {"connection_id": key, "access_token": access, "refresh_token": "R", **further}


def write(text: str, rows: Iterable[Row]) -> int:
    return write_table(DatabaseUrl.parse(text), rows, key="connection_id", delivery_id=str(uuid4()))


def refusal(text: str, rows: Iterable[Row]) -> str:
    with pytest.raises(OutputError) as caught:
        write(text, rows)
    assert SECRET not in whole_text(caught.value)
    return caught.value.message


@pytest.fixture
def clerk(postgres: Database) -> Iterator[str]:
    """The URL of who may use a table ``by_statement``, and do nothing else."""
    postgres.execute("CREATE ROLE clerk LOGIN PASSWORD 'clerk'")
    postgres.may_deliver("clerk")
    postgres.execute(f"REVOKE TEMPORARY ON DATABASE {postgres.name} FROM PUBLIC")
    yield f"postgresql://clerk:clerk@127.0.0.1:{postgres.port}/{postgres.name}?table=by_statement"
    postgres.execute("DROP OWNED BY clerk")
    postgres.execute("DROP ROLE clerk")


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ways by which rows were copied."""
    ways: list[str] = []

    def heard(name: str, copy: Callable[..., int]) -> Callable[..., int]:
        def copying(*arguments: Any) -> int:
            ways.append(name)
            return copy(*arguments)

        return copying

    for name in ("copy_into", "copy_by_way"):
        monkeypatch.setattr(postgresql_copy, name, heard(name, getattr(postgresql_copy, name)))
    return ways


# --- every value ---


@pytest.mark.parametrize("there", [False, True])
def test_odd_texts_arrive_as_they_are_and_an_empty_one_is_not_none(
    postgres: Database, copied: list[str], there: bool
) -> None:
    if there:
        postgres.execute(
            "CREATE TABLE pairs (connection_id text UNIQUE, access_token text, refresh_token text, note text)"
        )
    rows = [row(f"k{n} {text}", text, note=text or None) for n, text in enumerate(ODD)]
    for _ in range(2):
        assert write(postgres.url("pairs"), rows) == len(ODD)
    assert copied == ["copy_by_way" if there else "copy_into", "copy_by_way"]
    found = postgres.execute("SELECT connection_id, access_token, refresh_token, note FROM pairs")
    assert sorted(found) == sorted((f"k{n} {text}", text, "R", text or None) for n, text in enumerate(ODD))


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.floats(-1e14, 1e14)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-7, minutes=-30))])
MOMENTS = st.datetimes(datetime.fromisoformat("1000-01-02"), timezones=ZONES)
VALUES = TEXTS | st.sampled_from(ODD) | st.none() | st.booleans() | NUMBERS | MOMENTS | st.lists(TEXTS)
COLUMNS = (
    "connection_id varchar(255) PRIMARY KEY, access_token text, refresh_token text, one text, other text"
)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4))
@example([(1.0, True), (1e-7, False), (-0.0, 2**63), (2**63 - 1, MOMENT)])
@example([(None, None), (MOMENT, MOMENT.replace(microsecond=0))])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_way_writes_what_a_statement_a_row_writes(
    postgres: Database, clerk: str, values: list[tuple[object, object]]
) -> None:
    rows = [row(f"k{n}", "T", one=one, other=other) for n, (one, other) in enumerate(values)]
    postgres.execute("DROP TABLE IF EXISTS copied, by_way, by_statement")
    postgres.execute(f"CREATE TABLE by_way ({COLUMNS}); CREATE TABLE by_statement ({COLUMNS})")
    postgres.execute("GRANT INSERT, UPDATE, SELECT ON by_statement TO clerk")
    urls = [clerk, postgres.url("by_way")]
    if not any(isinstance(value, datetime) for pair in values for value in pair):
        urls.append(postgres.url("copied"))  # it is made, and would have columns of times
    assert [write(url, rows) for url in urls] == [len(rows)] * len(urls)
    tables = ["by_statement", "by_way", "copied"][: len(urls)]
    expected, *others = (postgres.execute(f"SELECT * FROM {name} ORDER BY 1") for name in tables)
    assert all(other == expected for other in others)


# --- the application's own types ---


def test_the_database_makes_values_of_its_own_types_of_texts(postgres: Database, copied: list[str]) -> None:
    postgres.execute(
        "CREATE DOMAIN amount AS numeric(6, 2); CREATE DOMAIN price AS amount CHECK (VALUE > 0);"
        "CREATE TYPE mood AS ENUM ('happy', 'sad');"
        "CREATE TABLE pairs (connection_id bigint PRIMARY KEY, access_token bytea, refresh_token char(3), "
        "b bit(3), p price, m mood, a int[], j jsonb, f real, t time, d date, yes boolean)"
    )
    rows = [
        row(
            "17",
            "\\x00ff",
            b="101",
            p="1.239",
            m="sad",
            a="{1,2}",
            j=[1, "é"],
            f=0.5,
            t=MOMENT,
            d=MOMENT,
            yes=True,
        )
    ]
    for _ in range(2):
        assert write(postgres.url("pairs"), rows) == 1
    assert copied == ["copy_by_way"] * 2
    ((key, token, refresh, *others),) = postgres.execute("SELECT * FROM pairs")
    assert (key, bytes(token), refresh) == (17, b"\0\xff", "R  ")
    utc = MOMENT.astimezone(UTC)
    expected = ["101", Decimal("1.24"), "sad", [1, 2], [1, "é"], 0.5, utc.time(), utc.date(), True]
    assert others == expected


@pytest.mark.parametrize("kind", ["varchar(10)", "char(10)", "short", "shorter"])
def test_a_token_that_does_not_fit_is_refused_and_never_cut_off_nor_shown_in_the_servers_log(
    postgres: Database, copied: list[str], kind: str
) -> None:
    postgres.execute(
        "CREATE DOMAIN short AS varchar(10); CREATE DOMAIN shorter AS short CHECK (VALUE <> 'A')"
    )
    postgres.execute(
        f"CREATE TABLE pairs (connection_id text PRIMARY KEY, access_token {kind}, refresh_token text)"
    )
    before = len(server_log(postgres))
    message = refusal(postgres.url("pairs"), [row("k1", "fits"), row("k2", f"far too long {SECRET}")])
    assert message.endswith("refuses (StringDataRightTruncation, 22001)")
    assert postgres.execute("SELECT * FROM pairs") == []
    assert copied == ["copy_by_way"]
    log = server_log(postgres)[before:]
    assert "value too long" in log
    assert SECRET not in log


def server_log(postgres: Database) -> str:
    ((log,),) = postgres.execute("SELECT pg_read_file(current_setting('data_directory') || '/../log')")
    return str(log)


def test_a_column_that_takes_no_time_is_named(postgres: Database) -> None:
    postgres.execute(
        "CREATE TABLE pairs (connection_id text PRIMARY KEY, access_token text, refresh_token text, "
        "expires_at bigint)"
    )
    message = refusal(postgres.url("pairs"), [row("k", SECRET, expires_at=MOMENT)])
    assert 'column "expires_at" is of type bigint but expression is of type timestamp' in message


# --- what is refused ---


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    ("bad", "said"), [(f"NUL \0 {SECRET}", "(DataError)"), (f"\ud800{SECRET}", "(UnicodeEncodeError)")]
)
def test_a_text_that_no_database_takes_is_refused(
    postgres: Database, copied: list[str], there: bool, bad: str, said: str
) -> None:
    if there:
        write(postgres.url("pairs"), [row("k", "O")])
    message = refusal(postgres.url("pairs"), (row(f"k{n}", bad if n == 1234 else "A") for n in range(2000)))
    assert message.endswith(said)
    assert copied[-1] == ("copy_by_way" if there else "copy_into")
    if there:
        assert postgres.execute("SELECT * FROM pairs") == [("k", "O", "R")]
    else:
        assert postgres.execute("SELECT to_regclass('pairs')") == [(None,)]


def test_a_row_that_a_constraint_refuses_leaves_the_table_as_it_was(postgres: Database) -> None:
    postgres.execute(
        "CREATE TABLE pairs (connection_id text PRIMARY KEY, access_token text UNIQUE, refresh_token text, "
        "n int CONSTRAINT few CHECK (n < 9))"
    )
    write(postgres.url("pairs"), [row("k1", "O", n=1)])
    rows = [row("k1", "N", n=2), row("k2", SECRET, n=9)]
    assert refusal(postgres.url("pairs"), rows).endswith(
        "refuses (CheckViolation, 23514, table pairs, constraint few)"
    )
    rows = [row("k1", "N", n=2), row("k2", SECRET, n=3), row("k3", SECRET, n=3)]
    assert "UniqueViolation, 23505" in refusal(postgres.url("pairs"), rows)
    assert postgres.execute("SELECT * FROM pairs") == [("k1", "O", "R", 1)]


def test_two_rows_that_the_table_takes_for_one_are_refused(postgres: Database) -> None:
    postgres.execute(
        "CREATE TABLE pairs (connection_id bigint PRIMARY KEY, access_token text, refresh_token text)"
    )
    message = refusal(postgres.url("pairs"), [row("1", "A"), row("01", SECRET)])
    assert message.endswith("takes the connection_id of two rows for the same")
    assert postgres.execute("SELECT * FROM pairs") == []


# --- who may do what, and who else is there ---


def test_who_may_have_no_temporary_table_writes_by_statements(
    postgres: Database, clerk: str, copied: list[str]
) -> None:
    postgres.execute(f"CREATE TABLE by_statement ({COLUMNS})")
    postgres.execute("GRANT INSERT, UPDATE, SELECT ON by_statement TO clerk")
    for access in ("A", "B"):
        assert write(clerk, [row(f"k{n}", access) for n in range(1001)]) == 1001
    assert copied == []
    assert postgres.execute("SELECT access_token, count(*) FROM by_statement GROUP BY 1") == [("B", 1001)]


def test_a_row_that_comes_from_elsewhere_meanwhile_is_updated(postgres: Database) -> None:
    columns = "connection_id text PRIMARY KEY, access_token text, refresh_token text, note text"
    postgres.execute(f"CREATE TABLE pairs ({columns})")

    def rows() -> Iterator[Row]:
        for number in range(1000):
            if number == 600:
                postgres.execute("INSERT INTO pairs VALUES ('k7', 'O', 'O', 'theirs')")
            yield row(f"k{number}")

    assert write(postgres.url("pairs"), rows()) == 1000
    assert postgres.execute("SELECT * FROM pairs WHERE connection_id = 'k7'") == [("k7", "A", "R", "theirs")]


KILLED = """
import os, signal
from migrator.sources.sql_connection import DatabaseUrl
from migrator.handover.tables.database_table import write_table
def rows():
    for n in range(50_000):
        if n == 43_210:
            os.kill(os.getpid(), signal.SIGKILL)
        yield {"connection_id": f"k{n}", "access_token": "NEW" * 100, "refresh_token": "R"}
write_table(DatabaseUrl.parse(input()), rows(), key="connection_id", delivery_id="killed")
"""


def test_a_kill_in_the_middle_of_a_copy_leaves_no_table(postgres: Database) -> None:
    url = postgres.url("pairs")
    killed = subprocess.run([sys.executable, "-c", KILLED], input=url.encode(), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert write(url, [row("k1")]) == 1, "it is made anew: nothing is left, and nothing blocks"
    assert postgres.execute("SELECT count(*) FROM pairs") == [(1,)]
    left = "SELECT count(*) FROM pg_class WHERE relname LIKE 'migrator%' AND relname NOT LIKE '%deliveries%'"
    assert postgres.execute(left) == [(0,)]
