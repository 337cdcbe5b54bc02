"""A look at a whole row decides nothing that a look at each of its cells would not decide."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.sources.columns import KNOWN_COLUMNS
from migrator.sources.damaged_cells import is_damaged, none_damaged
from migrator.sources.known_cells import MAX_LENGTH, KnownCells, _nothing_odd, _texts, layout_of
from migrator.sources.unreadable_row import UnusableError
from tests.sources.helpers import SECRET

DAMAGED = ("1.23457E+15", "12.3E+09", "1,5E+09", "1.5E9", "1E+15", "1E15", "#REF!", "###", "#N/A", "Err:502")
DAMAGED_TOO = (
    "FEHLER: 502",
    "错误:502",
    "помилка:123",
    "-1E-7",
    "+1.5e9",
    "#¡DIV/0!",
    "#hiányzik",
    "9e1",
    "ERR :5",
)
ODD = (" a", "a ", "\ta", "a\x85", "\xa0a", "a\nb", "\0", "a\x7f", "|", "a |b", "\u2003a", "x" * MAX_LENGTH)
SOUND = ("", "a", "1e5f", "3e77", "12E45", "a b", "é", "conn-1", "2027-11-27T14:05:35Z", "1,5", "錯誤")
texts = st.one_of(
    st.sampled_from((*DAMAGED, *DAMAGED_TOO, *ODD)),
    st.sampled_from(SOUND),
    st.text(max_size=4),
    st.text(alphabet="019.,eE+-#:R ", max_size=9),
)
sound = st.sampled_from(SOUND)
lines = st.text(max_size=8).filter(lambda text: "\n" not in text)


def cell_by_cell(raw: tuple[object, ...]) -> list[object] | None:
    """What a look at each cell makes of a row; None where it refuses one."""
    try:
        return _texts(raw)
    except UnusableError:
        return None


@settings(max_examples=500)
@given(st.lists(sound, min_size=11, max_size=11), st.integers(0, 10), texts)
def test_nothing_odd_means_that_no_cell_changes_or_is_refused(row: list[str], place: int, text: str) -> None:
    row[place] = text
    if _nothing_odd(tuple(row)):
        assert cell_by_cell(tuple(row)) == row
        assert not is_damaged(row[KNOWN_COLUMNS.index("oauth_expires_at")])


@pytest.mark.parametrize("text", [*DAMAGED, *DAMAGED_TOO])
@pytest.mark.parametrize("place", [0, 3, 6, 7, 8])
def test_damage_in_any_identifying_cell_is_looked_at_closely(text: str, place: int) -> None:
    row = ["a"] * 11
    row[place] = text
    assert not _nothing_odd(tuple(row)) or cell_by_cell(tuple(row)) is not None


def test_an_ordinary_row_needs_no_closer_look() -> None:
    row = ["conn-1", "partner", "Bäckerei A/S 3", "3e4f86a1-392f", "ORGANISATION", "a@b.example"]
    assert _nothing_odd((*row, "3D9C1711E20B", "1600A3099950", "9E25D0ED", "2027-11-27T14:05:35Z", ""))


@pytest.mark.parametrize("value", [1, None, 1.5, True, ["a"]])
def test_what_is_no_text_is_looked_at_closely(value: object) -> None:
    assert not _nothing_odd((value, *["a"] * 10))


@settings(max_examples=500)
@given(st.lists(st.one_of(st.sampled_from((*DAMAGED, *DAMAGED_TOO, *SOUND)), lines), max_size=5))
def test_what_is_taken_for_whole_is_not_damaged(some: list[str]) -> None:
    if none_damaged(some):
        assert not any(map(is_damaged, some))


def test_the_fields_are_the_known_columns() -> None:
    assert KnownCells._fields == KNOWN_COLUMNS


def test_cells_are_found_by_name_wherever_they_stand_and_shown_to_nobody() -> None:
    layout = layout_of(("note", " OAuth_Token ", "connection_id"))
    cells = layout.cells({"note": "n", " OAuth_Token ": SECRET, "connection_id": " k "})
    assert (cells.oauth_token, cells.connection_id, cells.app_type) == (SECRET, "k", "")
    assert layout.further == ["note"]
    assert SECRET not in repr(cells)
