"""A JSON array: streamed, element by element, and no element costs another."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.sources import Row
from migrator.sources.document import ROW_LIMIT
from tests.sources.helpers import SECRET, open_bytes, outline, read, refusal, values, whole_text
from tests.sources.test_json_lines import OBJECTS, VALUES

ROW = '{"oauth_token": "T"}'


@given(
    st.lists(OBJECTS, max_size=8),
    st.booleans(),
    st.sampled_from([None, 0, 2]),
    st.sampled_from(["", "\ufeff", "\n "]),
)
@settings(max_examples=50)
def test_what_was_written_comes_back(
    objects: list[dict[str, object]],
    ascii_only: bool,
    indent: int | None,
    start: str,
) -> None:
    assert values(read(start + json.dumps(objects, ensure_ascii=ascii_only, indent=indent) + "\n")) == objects


@given(st.lists(VALUES, max_size=8))
def test_every_element_ends_as_one_row_or_reject(elements: list[object]) -> None:
    expected = [
        (index, "row" if isinstance(element, dict) else "bad_row")
        for index, element in enumerate(elements, 1)
    ]
    assert outline(read(json.dumps(elements))) == expected


def test_elements_are_whole_wherever_the_chunks_of_the_file_end() -> None:
    objects = [
        {"n": "x" * (number % 97), "m": ['\\"]},{', number, -1.5e-7, True]} for number in range(20_000)
    ]
    assert values(read(json.dumps(objects))) == objects


def test_strings_are_whole_wherever_the_chunks_of_the_file_end() -> None:
    objects = [{"n": "]}," * 10_000 + str(number)} for number in range(20)]
    assert values(read(json.dumps(objects))) == objects


def test_numbers_are_whole_wherever_the_chunks_of_the_file_end() -> None:
    for padding in range(3):
        text = "[" + " " * padding + ",".join(["-12.5e7"] * 20_000) + "]"
        assert outline(read(text)) == [(index, "bad_row") for index in range(1, 20_001)]


def test_an_element_may_be_larger_than_a_chunk() -> None:
    objects = [{"n": "x" * 300_000, "m": [number] * 50_000} for number in range(3)]
    assert values(read(json.dumps(objects))) == objects


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (f'"{SECRET}"', "bad_row"),
        (f'["{SECRET}", {{}}]', "bad_row"),
        ("null", "bad_row"),
        (f'{{"oauth_token": {SECRET}}}', "bad_json"),
        (f"{{'oauth_token': '{SECRET}'}}", "bad_json"),
        (f'{{"oauth_token" "{SECRET}"}}', "bad_json"),
        ("12abc", "bad_row"),
        ("", "bad_json"),
        (f'{{"oauth_token": "{SECRET}", "n": NaN}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}", "n": 1e999}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}", "n": {"9" * 5000}}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}", "n": {"[" * 9999}{"]" * 9999}}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}\0"}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}\n"}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}\udcff"}}', "bad_encoding"),
        (f'{{"oauth_token": "{SECRET}\\ud800"}}', "bad_encoding"),
    ],
)
def test_an_element_that_is_no_row_costs_itself_only(element: str, reason: str) -> None:
    rows = read(f"[{ROW},\n{element},{ROW}]".encode("utf-8", "surrogateescape"))
    assert outline(rows) == [(1, "row"), (2, reason), (3, "row")]
    assert SECRET not in repr(rows[1])


def test_a_trailing_comma_is_a_reject_and_no_more() -> None:
    assert outline(read(f"[{ROW}, ]")) == [(1, "row"), (2, "bad_json")]


@pytest.mark.parametrize("array", ["[]", " [ ] ", "\ufeff[\n]\n"])
def test_an_empty_array_has_no_rows(array: str) -> None:
    assert read(array) == []


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("", "is cut off, after element 2"),
        (",", "is cut off, after element 2"),
        (f',{{"oauth_token": "{SECRET}', "is cut off, after element 2"),
        (f',{{"oauth_token": "{SECRET}"}}', "is cut off, after element 3"),
        (f' {{"oauth_token": "{SECRET}"}}]', "lacks a comma"),
        ("}]", "a bracket too many"),
        (f'] {{"oauth_token": "{SECRET}"}}', "is followed by something else"),
        (f',"{SECRET}' + "x" * (2 * ROW_LIMIT), "without a next element"),
        ("," + "[" * (2 * ROW_LIMIT), "without a next element"),
    ],
)
def test_where_the_next_element_begins_must_be_known(rest: str, message: str) -> None:
    error = refusal(f"[{ROW},{ROW}{rest}")
    assert message in error.message
    assert "after element" in error.message
    assert error.message.startswith("-: ")
    assert error.hint
    assert SECRET not in whole_text(error)


def test_rows_before_the_damage_have_been_handed_out() -> None:
    rows = open_bytes(f"[{ROW},{ROW},").rows()
    assert [type(next(rows)) for _ in range(2)] == [Row, Row]
