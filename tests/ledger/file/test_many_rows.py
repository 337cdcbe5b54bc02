"""Rows in one parameter are the rows that they were."""

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
