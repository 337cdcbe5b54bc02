"""Nothing in a table or a CSV file that a terminal or a spreadsheet would obey."""

from __future__ import annotations

import csv
import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.terminal.printable import printable
from migrator.terminal.tables import csv_lines, defused, folded, shortened, table, table_lines

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
nasty = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["=1+1", "\x1b[2J", "\u202eevil", "a\r\nb", "\x9b31m", 'q"u,o\nte', "\ud800", "", " ", "\0"]
    ),
    st.builds(str.__add__, st.sampled_from(FORMULA_STARTS), st.text(max_size=5)),
)
cells = st.none() | st.integers() | nasty


@given(nasty)
def test_what_is_printable_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown)
    shown.encode()


@given(st.text().filter(str.isprintable))
def test_what_is_printable_already_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_what_is_not_printable_is_shown_as_an_escape() -> None:
    assert printable("a\x1b[31mb\n\u202e") == "a\\x1b[31mb\\n\\u202e"


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=5))
def test_a_table_has_a_line_a_row_and_nothing_to_obey(rows: list[list[object]]) -> None:
    lines = table(("name", "number"), rows).split("\n")
    assert len(lines) == 2 + len(rows)
    assert all(line.isprintable() for line in lines)


def test_a_table_is_aligned_with_numbers_to_the_right() -> None:
    text = table(("name", "number"), [("a", 1), ("long name", 1234567), ("b", None)])
    assert text.split("\n") == [
        "name          number",
        "---------  ---------",
        "a                  1",
        "long name  1,234,567",
        "b",
    ]


@given(rows=st.lists(st.lists(st.text(), min_size=2, max_size=2), min_size=1))
def test_a_table_of_texts_is_the_same_line_by_line(rows: list[list[str]]) -> None:
    headers = ("key", "what became of it")
    assert "\n".join(table_lines(headers, lambda: rows)) == table(headers, rows)


def test_a_text_that_looks_like_a_number_stays_as_it_is() -> None:
    assert "007" in table(("key",), [("007",), ("1e5",)])
    assert "1e5" in table(("key",), [("007",), ("1e5",)])


def read_back(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")


@pytest.mark.parametrize("character", ["\x1b", "\x9b", "\x07", "\u202e", "\u2066"])
def test_no_csv_cell_holds_what_a_terminal_obeys(character: str) -> None:
    text = "".join(csv_lines(("name",), [(f"a{character}b",)]))
    assert character not in text


def figures(text: str) -> bool:
    """Signs and figures alone: no function, no cell and no program can be named with them."""
    return text.startswith(("+", "-")) and not set(text) - set("+-0123456789.,' ()/\u00a0\u202fEe%")


@pytest.mark.parametrize(
    "value",
    [
        "+61 2 9999 1234", "+61-2-9999", "+1 (555) 010-9999", "+49\u00a030/123", "+(44) 20", "-5", "+5",
        "-5.30", "-5,30", "-1,234.50", "-1\u202f234,5", "-1'234", "-1.5E+09", "-5 %",
    ],
)  # fmt: skip
def test_a_number_and_a_telephone_number_stay_as_they_are(value: str) -> None:
    assert defused(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "=1+1", "=5", "@SUM(1)", "+cmd|'/C calc'!A0", "-2+3+cmd|'/C calc'!A0", "-2+3", "-2-3", "-A1", "+A1",
        "\t=1", "\r=1", "\n=1", "-5\n=1", "+61 2\n9999", "＝1", "＋1", "－1", "＠A1", "-1+", "--1",  # noqa: RUF001
        "+1+1", "+1*2", "+ABC", "-5;=1", "+-1=2", "+()", "-", "+",
    ],
)  # fmt: skip
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(value: str) -> None:
    assert defused(value) == f"'{value}"


@given(st.text("+-=@0123456789.,()/ \n\tAaEe%|!'\u00a0", max_size=12))
def test_nothing_that_could_name_anything_is_left_alone(text: str) -> None:
    if text.startswith(FORMULA_STARTS) and defused(text) == text:
        assert text[0] in "+-"
        assert not set(text[1:]) & set("=@|!\n\tAa")


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=5))
def test_csv_says_what_it_was_given_but_for_the_apostrophe(rows: list[list[object]]) -> None:
    read = read_back("".join(csv_lines(("one", "=two"), rows)))
    assert read[0] == ["one", "'=two"]
    for row, cells_read in zip(rows, read[1:], strict=True):
        for value, cell in zip(row, cells_read, strict=True):
            text = "" if value is None else OBEYED.sub(escaped, str(value))
            needs_it = isinstance(value, str) and text.startswith(FORMULA_STARTS)
            assert cell == ("'" + text if needs_it else text) or (cell == text and figures(text))


@given(st.lists(nasty, min_size=1, max_size=4))
def test_no_csv_cell_starts_a_formula(row: list[str]) -> None:
    for cells_read in read_back("".join(csv_lines(row, [row]))):
        assert not any(cell.startswith(FORMULA_STARTS) and not figures(cell) for cell in cells_read)


@given(st.lists(st.lists(cells, min_size=1, max_size=3), max_size=4))
def test_csv_comes_a_row_at_a_time_with_crlf(rows: list[list[object]]) -> None:
    pieces = list(csv_lines(["header"], rows))
    assert len(pieces) == 1 + len(rows)
    assert all(piece.endswith("\r\n") for piece in pieces)
    assert [len(read_back(piece)) for piece in pieces] == [1] * len(pieces)


@pytest.mark.parametrize("value", [-5, 0, None, 1.5])
def test_what_is_no_text_needs_no_apostrophe(value: object) -> None:
    assert defused(value) is value


@given(st.lists(st.text(max_size=60), max_size=8), st.integers(5, 50))
def test_names_are_folded_and_none_is_forgotten(names: list[str], longest: int) -> None:
    told = folded(names, longest)
    assert len(told) <= longest + len(" and 8 more")
    more = re.search(r" and (\d+) more$", told)
    if more is None:
        assert told == "; ".join(names) or (len(names) == 1 and told.endswith("…"))
    else:
        number = len(names) - int(more[1])
        assert number >= 1
        assert told.removesuffix(more[0]) in ("; ".join(names[:number]), f"{names[0][: longest - 1]}…")


def test_one_name_that_is_too_long_is_shortened_and_one_that_fits_is_not() -> None:
    assert folded(["x" * 41]) == f"{'x' * 39}…"
    assert folded(["x" * 40]) == "x" * 40
    assert folded(["One", "Two"]) == "One; Two"
    assert folded([]) == ""
    assert shortened("x" * 41) == f"{'x' * 39}…"
