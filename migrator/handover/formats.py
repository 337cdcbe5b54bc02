"""How rows are written into files: JSON lines, and CSV (RFC 4180)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from migrator.handover.shapes import Row
from migrator.terminal.tables import defused_text

_TOKENS = frozenset({"access_token", "refresh_token", "token"})
"""Columns that must come out as they are: an apostrophe in front of a token would make it worthless."""

_BLOCK = 1 << 16
"""Characters that are written at once: what is done with a block costs a line next to nothing."""


class Rows(Protocol):
    """What is handed over; there may be more rows than fit into memory."""

    def columns(self) -> Sequence[str]:
        """Every column that any row has, in the order in which they come up; none without a row."""

    def __iter__(self) -> Iterator[Row]:
        """The rows, anew at each call."""


Format = Callable[[Rows], Iterator[str]]
"""The lines of a file, with their ends."""


def json_lines(rows: Rows) -> Iterator[str]:
    """A JSON object a line."""
    return (json.dumps(row) + "\n" for row in rows)


def csv_lines(rows: Rows) -> Iterator[str]:
    """CSV with every column that any row has.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front, but for the tokens.
    """
    columns = rows.columns()
    if not columns:
        return
    yield csv_line([_safe_text(name) for name in columns])
    texts = [(name, _text if name in _TOKENS else _safe_text) for name in columns]
    for row in rows:
        yield csv_line([text(row.get(name)) for name, text in texts])


def csv_line(cells: Sequence[str]) -> str:
    """A line of several cells, in quotes where they need them."""
    line = ",".join(cells)
    # Written as the csv module does, which looks at each character by itself, twice.
    if '"' in line or "\r" in line or "\n" in line or line.count(",") >= len(cells):
        line = ",".join(map(_quoted, cells))
    return line + "\r\n"


def _quoted(cell: str) -> str:
    needs_them = '"' in cell or "," in cell or "\r" in cell or "\n" in cell
    return '"' + cell.replace('"', '""') + '"' if needs_them else cell


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value)
    return "" if value is None else str(value)


def _safe_text(value: object) -> str:
    return defused_text(value) if isinstance(value, str) else _text(value)


def blocks(lines: Iterable[str]) -> Iterator[str]:
    """The same text in pieces of some size."""
    gathered, size = list[str](), 0
    for line in lines:
        gathered.append(line)
        size += len(line)
        if size >= _BLOCK:
            yield "".join(gathered)
            gathered.clear()
            size = 0
    yield "".join(gathered)
