"""JSON lines: each line stands for itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.models import Reject
from migrator.sources.document import HEAD_SIZE, ROW_LIMIT
from migrator.sources.json_values import DEPTH_LIMIT
from tests.sources.helpers import SECRET, outline, read, refusal, values, whole_text

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=5)
FIRST = '{"oauth_token": "T", "app_type": "partner"}\n'


@given(
    st.lists(OBJECTS, max_size=8),
    st.booleans(),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
    st.sampled_from(["", "\ufeff"]),
)
@settings(max_examples=50)
def test_what_was_written_comes_back(
    objects: list[dict[str, object]], ascii_only: bool, line_end: str, bom: str
) -> None:
    rows = [{"app_type": "partner"}, *objects]
    text = bom + "".join(json.dumps(row, ensure_ascii=ascii_only) + line_end for row in rows)
    assert values(read(text)) == rows


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=20))
def test_every_line_ends_as_one_row_or_reject(lines: list[bytes]) -> None:
    expected = [1, *(number for number, line in enumerate(lines, 2) if line.strip())]
    assert [line for line, _ in outline(read(FIRST.encode() + b"\n".join(lines)))] == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f'{{"oauth_token": "{SECRET}"', "bad_json"),
        (f'{{"oauth_token": "{SECRET}"}} {{}}', "bad_json"),
        (f'{{"oauth_token": {SECRET}}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}", "n": NaN}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}", "n": -Infinity}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}", "n": 1e999}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}", "n": {"9" * 5000}}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}", "n": {"[" * DEPTH_LIMIT}{"]" * DEPTH_LIMIT}}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}", "n": {"[" * 9999}{"]" * 9999}}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}\0"}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}", "n": "{"n" * ROW_LIMIT}"}}', "bad_json"),
        (f'{{"oauth_token": "{SECRET}\udcff"}}', "bad_encoding"),
        (f'{{"oauth_token": "{SECRET}\\ud800"}}', "bad_encoding"),
        (f'{{"oauth_token": "{SECRET}", "n": [{{"\\udfff": 1}}]}}', "bad_encoding"),
        (f'["{SECRET}"]', "bad_row"),
        (f'"{SECRET}"', "bad_row"),
        ("null", "bad_row"),
    ],
)
def test_a_line_that_is_no_row_costs_itself_only(line: str, reason: str) -> None:
    rows = read(f"{FIRST}\n{line}\n{FIRST}".encode("utf-8", "surrogateescape"))
    assert outline(rows) == [(1, "row"), (3, reason), (4, "row")]
    assert SECRET not in repr(rows[1])


def test_a_line_over_the_limit_is_one_reject_that_says_so() -> None:
    rows = read(f'{FIRST}{{"n": "{"x" * (3 * ROW_LIMIT)}"}}\n{FIRST}')
    assert outline(rows) == [(1, "row"), (2, "bad_json"), (3, "row")]
    assert f"{ROW_LIMIT:,} bytes" in repr(rows[1])


def test_a_row_may_be_wide_and_as_deep_as_the_limit() -> None:
    wide: dict[str, object] = {"n": [[]] * 999}
    deep = {"n": json.loads("[" * (DEPTH_LIMIT - 1) + "]" * (DEPTH_LIMIT - 1))}
    assert values(read(FIRST + json.dumps(wide) + "\n" + json.dumps(deep)))[1:] == [wide, deep]


def test_a_bad_first_line_is_a_reject_too() -> None:
    assert outline(read('{"oauth_token": "T", \n' + FIRST)) == [(1, "bad_json"), (2, "row")]


def test_the_detail_says_where_in_the_line_it_breaks() -> None:
    reject = read(FIRST + '{"a": ?}')[1]
    assert isinstance(reject, Reject)
    assert "from character 7 on" in reject.detail


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"tokens": [{"oauth_token": SECRET}]}),
        json.dumps({"tokens": [{"oauth_token": SECRET}]}, indent=2),
        json.dumps({"oauth_token": SECRET}, indent=2),
        '{"tokens": [\n{"oauth_token": "' + SECRET + '"}\n]}',
        '{"oauth_token": "' + SECRET + '",\n "app_type": "partner"}',
        json.dumps({"tokens": [{"oauth_token": SECRET}] * HEAD_SIZE}),
    ],
)
def test_a_single_object_is_refused(text: str) -> None:
    error = refusal(text)
    assert "one JSON object" in error.message
    assert "jq -c" in error.hint
    assert SECRET not in whole_text(error)


def test_a_single_row_is_not_a_single_object() -> None:
    assert outline(read('{"oauth_token": "T"}')) == [(1, "row")]
