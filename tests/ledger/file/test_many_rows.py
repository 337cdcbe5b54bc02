"""Many rows in one statement are the rows that they were, and what each would be in one of its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.ledger.file import many_rows

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), TEXTS)


@given(st.lists(st.tuples(VALUES, VALUES, VALUES)))
def test_rows_come_out_as_they_went_in(rows: list[tuple[object, ...]]) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        found = many_rows.execute(db, ("a", "b", "c"), rows, "SELECT a, b, c FROM given").fetchall()
    assert found == rows


def test_other_parameters_stand_beside_them() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        found = many_rows.execute(
            db, ("a",), [(1,), (2,)], "SELECT a, :further FROM given WHERE a > :least", further="x", least=1
        )
        assert found.fetchall() == [(2, "x")]


def test_what_is_not_unicode_is_refused() -> None:
    with closing(sqlite3.connect(":memory:")) as db, pytest.raises(UnicodeEncodeError):
        many_rows.execute(db, ("a",), [("\ud800",)], "SELECT a FROM given")


ANY = st.one_of(VALUES, st.text(st.characters(codec="utf-8")), st.binary())
ROWS = st.lists(st.tuples(ANY, ANY, ANY), max_size=9)


@given(ROWS, ROWS)
def test_rows_are_inserted_in_order_whatever_they_hold(
    some: list[tuple[object, ...]], others: list[tuple[object, ...]]
) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE given (id INTEGER PRIMARY KEY, a, b, c, d DEFAULT 7)")
        for several in (some, others):
            many_rows.insert(db, "given", ("b", "a", "c"), several)
        found = db.execute("SELECT b, a, c, d FROM given ORDER BY id").fetchall()
    assert found == [(*row, 7) for row in [*some, *others]]


def test_of_rows_one_of_which_is_refused_none_is_inserted() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE given (a UNIQUE)")
        with pytest.raises(sqlite3.IntegrityError):
            many_rows.insert(db, "given", ("a",), [(1,), (2,), (1,)])
        assert db.execute("SELECT count(*) FROM given").fetchone() == (0,)


def test_as_many_values_as_an_intake_has_at_once_are_taken() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE given (a, b)")
        many_rows.insert(db, "given", ("a", "b"), [(number, "") for number in range(32_766 // 2)])
        assert db.execute("SELECT max(a) FROM given").fetchone() == (32_766 // 2 - 1,)
