"""How rows are written into files: as ``json`` and ``csv`` themselves would, a block at a time."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypothesis import example, given
from hypothesis import strategies as st

from migrator.handover.formats import blocks, csv_line, csv_lines, json_lines
from migrator.handover.shapes import Row
from migrator.terminal.tables import defused

ODD = st.text(st.sampled_from("\",;\r\n\t '=a\u2028\ud800\x00😀")) | st.text()
VALUES = ODD | st.none() | st.booleans() | st.integers() | st.floats() | st.lists(st.text(max_size=3))


@dataclass(frozen=True)
class Given:
    """Rows as an export has them."""

    rows: Sequence[Row]

    def columns(self) -> Sequence[str]:
        return tuple(dict.fromkeys(name for row in self.rows for name in row))

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


def of_csv_module(rows: Sequence[Sequence[object]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows(rows)
    return file.getvalue()


@given(st.lists(ODD, min_size=2))
@example(["a,b", "c"])
@example(["a", 'b"c'])
@example(["a\r", "b"])
@example(["a\n", "b"])
@example(["a", ""])
def test_a_line_is_what_the_csv_module_makes_of_its_cells(cells: list[str]) -> None:
    assert csv_line(cells) == of_csv_module([cells])


@given(st.lists(st.dictionaries(st.sampled_from(["access_token", "token", "=k", "b", "c"]), VALUES)))
def test_csv_has_every_column_of_any_row_and_runs_nothing_but_for_the_tokens(rows: list[Row]) -> None:
    given_rows = Given([{"key": "k", "note": "n", **row} for row in rows])
    columns = given_rows.columns()
    expected: list[list[object]] = [[defused(name) for name in columns]] if rows else []
    for row in given_rows:
        values = [row.get(name) for name in columns]
        cells = [json.dumps(value) if isinstance(value, list) else value for value in values]
        named = zip(columns, cells, strict=True)
        expected.append(
            [cell if name in ("access_token", "token") else defused(cell) for name, cell in named]
        )
    assert "".join(csv_lines(given_rows)) == of_csv_module(expected)


def test_a_token_is_written_as_it_is_and_another_cell_is_not() -> None:
    rows = Given([{"access_token": "=1\x01", "note": "=1\x01", "off": -1, "away": "-1", "none": None}])
    assert list(csv_lines(rows))[1] == "=1\x01,'=1\\x01,-1,-1,\r\n"


def test_without_a_row_there_is_no_header() -> None:
    assert list(csv_lines(Given([]))) == []


def test_a_json_object_a_line() -> None:
    rows: list[Row] = [{"key": "é\n", "more": {"a": [1, None]}}, {"other": True}]
    lines = list(json_lines(Given(rows)))
    assert [json.loads(line) for line in lines] == rows
    assert all(line.isascii() and line.count("\n") == 1 for line in lines)


@given(st.lists(st.text(max_size=3).map(lambda text: text * 10_000)))
def test_blocks_are_the_same_text(lines: list[str]) -> None:
    assert "".join(blocks(lines)) == "".join(lines)


def test_a_block_is_many_lines_and_never_all_of_them() -> None:
    lines = iter(["x" * 100] * 10_000)
    first, second, *_ = blocks(itertools.islice(lines, 2_000))
    assert len(first) == len(second) == 65_600
    assert next(blocks(lines)) == first
    assert next(lines), "no more was asked for than went into it"
    assert list(blocks(["x" * 70_000, "y"])) == ["x" * 70_000, "y"], "a long line is a block by itself"
