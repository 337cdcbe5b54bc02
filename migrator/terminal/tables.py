"""Rows as people and spreadsheets take them.

Aligned tables and CSV, with nothing in them that a terminal or spreadsheet would obey.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from tabulate import MIN_PADDING, tabulate

from migrator.terminal.printable import printable

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - full-width, too

_HARMLESS = (
    re.compile(r"[+-][0-9]+(?:[.,' \u00a0\u202f][0-9]+)*(?:[Ee][+-]?[0-9]+)?(?:[ \u00a0\u202f]?%)?"),
    re.compile(r"\+(?=.*[0-9])[0-9 ().\u00a0\u202f/-]+"),  # a telephone number
)
"""Whole cells that begin as formulas do, and are none; a number may say its thousands, power or per cent."""


_OBEYED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tabs and line breaks, and what turns the direction of writing round."""


LONGEST_NAME = 40
"""Characters of a cell of names in a table."""


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An aligned table for a terminal; numbers to the right, with thousands."""
    rows = list(rows)
    numeric = [
        bool(rows) and all(isinstance(row[i], int | None) for row in rows) for i in range(len(headers))
    ]
    cells = [[_cell(value) for value in row] for row in rows]
    alignment = ["right" if is_number else "left" for is_number in numeric]
    return tabulate(
        cells, headers=headers, tablefmt="simple", disable_numparse=True, colalign=alignment if rows else None
    )


def table_lines(headers: Sequence[str], rows: Callable[[], Iterable[Sequence[str]]]) -> Iterator[str]:
    """The same table of texts line by line, of as many as there are.

    ``rows`` gives them anew at each call: first they are measured, then shown.
    """
    widths = [len(header) + MIN_PADDING for header in headers]
    for row in rows():
        widths = [max(width, len(_text(value))) for width, value in zip(widths, row, strict=True)]
    rule = ["-" * width for width in widths]
    for cells in itertools.chain([headers, rule], (map(_text, row) for row in rows())):
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _text(value: str) -> str:
    return printable(value).strip()


def shortened(text: str, longest: int = LONGEST_NAME) -> str:
    """A name as a table has room for."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def folded(names: Sequence[str], longest: int = LONGEST_NAME) -> str:
    """Names as a table has room for: as many as fit, at least one, and how many more there are."""
    told = ""
    for number, name in enumerate(names):
        longer = f"{told}; {name}" if number else shortened(name, longest)
        if len(longer) > longest:
            return f"{told} and {len(names) - number:,} more"
        told = longer
    return told


def csv_lines(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """CSV (RFC 4180), line by line.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    for row in itertools.chain([headers], rows):
        writer.writerow([defused(value) for value in row])
        yield _drain(buffer)


def defused(value: object) -> object:
    """A cell, with an apostrophe in front where a spreadsheet would run it (OWASP, *CSV injection*).

    A number or a telephone number has none: it runs nothing, and a mail merge would show the apostrophe.
    """
    return defused_text(value) if isinstance(value, str) else value


def defused_text(text: str) -> str:
    """The same of a text."""
    if not text.isprintable():  # else nothing in it is obeyed
        text = _OBEYED.sub(lambda match: printable(match.group()), text)
    runs = text.startswith(_FORMULA_STARTS) and not any(one.fullmatch(text) for one in _HARMLESS)
    return f"'{text}" if runs else text


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else printable(str(value))


def _drain(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
