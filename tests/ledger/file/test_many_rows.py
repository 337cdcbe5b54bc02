"""Many rows are in one statement what each would be in one of its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.ledger.file import many_rows

values = st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8")) | st.binary()
rows = st.lists(st.tuples(values, values, values), max_size=9)


@given(rows, rows)
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
