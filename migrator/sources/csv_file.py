"""CSV, as databases, spreadsheets and people write it."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.errors import InputError
from migrator.models import Reject
from migrator.sources.columns import expected, likeness, refuse_duplicates, require_columns
from migrator.sources.csv_records import QUOTATION, Records, is_text
from migrator.sources.document import Document
from migrator.sources.interface import Row
from migrator.sources.row_shape import RowShape
from migrator.sources.unreadable_row import RowProblem
from migrator.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrator.row_rules import RowRules

_DELIMITERS = ",;\t|"
_SWALLOWED = (
    "holds a line that looks like a row of its own: a quotation mark is probably left open. "
    "If the line is meant to stand in a cell, take its line breaks out."
)


class CsvFile:
    """CSV in UTF-8, with a header; its delimiter is the one that makes the header yield most known columns.

    A row may end early: the cells that are missing count as empty. Rows without anything in them are no rows.
    A first line ``sep=;``, by which Excel knows the delimiter, is no header, nor is what programs that do not
    know it make of it (``sep=;,,,``).
    """

    def __init__(self, document: Document, rules: RowRules) -> None:
        """Read the header.

        Raises ``InputError`` where there is none, or it repeats a column or lacks a required one.
        """
        self._document = document
        self._hint = _Hint.of(document)
        self._delimiter, self._columns = _read_header(document, self._hint, rules)
        self._shape = RowShape.of(self._delimiter, self._columns, rules)

    @staticmethod
    def recognises(start: bytes) -> bool:  # noqa: ARG004 - the registry asks every format
        """Any text may be CSV; whether there is a header tells."""
        return True

    @property
    def name(self) -> str:
        """The file as the user named it."""
        return self._document.name

    def rows(self) -> Iterator[Row | Reject]:
        """Each row by the physical line where it begins."""
        with (
            self._document.open() as stream,
            # Undecodable bytes pass as lone surrogates, so that they cost their row and not the file.
            io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="") as text,
        ):
            if self._hint.line:
                text.readline()
            records = Records(text, self._delimiter, lines_before=bool(self._hint.line))
            rows = iter(records)
            next(rows, None)  # the header, which was read before
            columns, width = self._columns, len(self._columns)
            for cells in rows:
                if len(cells) == width and not (records.last > records.first or records.suspect):
                    yield Row(records.first, dict(zip(columns, cells, strict=True)))
                elif flaw := records.flaw or self._misfit(cells, records):
                    yield Reject(self.name, records.first, flaw.reason, f"{records.extent} {flaw.detail}")
                else:
                    padding = [""] * (width - len(cells))
                    yield Row(records.first, dict(zip(columns, [*cells, *padding], strict=True)))

    def _misfit(self, cells: Sequence[str], record: Records) -> RowProblem | None:
        """What is wrong, if the cells do not fit the header; the detail goes on from ``extent``."""
        columns = len(self._columns)
        if len(cells) > columns:
            return RowProblem("bad_row", f"has {counted(len(cells), 'cell')}, the header only {columns}.")
        if len(cells) < columns and record.spread:
            return RowProblem("bad_row", f"has only {len(cells)} of {columns} cells. {QUOTATION}")
        if len(cells) < columns and not record.ended:
            return RowProblem(
                "bad_row", f"is cut off by the end of the file, after {len(cells)} of {columns} cells."
            )
        if len(cells) < columns <= record.pieces:
            return RowProblem(
                "bad_row", f"has only {len(cells)} of {columns} cells, but delimiters for all. {QUOTATION}"
            )
        if record.spread and (sum(map(self._shape.is_row, record.lines)) > 1 or self._shape.holds_row(cells)):
            return RowProblem("bad_row", _SWALLOWED)
        return None


_HINT = re.compile(r'(?P<line>"?sep=(?P<named>[^\r\n]{0,100}))(?:\r\n|\r|\n)', re.IGNORECASE)
_NAMED = re.compile(r'(?P<delimiter>[^\w\s"]|\t)"?\s*')


@dataclass(frozen=True)
class _Hint:
    """A first line that names the delimiter."""

    line: str = ""
    """That line; empty where there is none."""
    delimiter: str = ""
    """What it names, and nothing else; or empty: then the header tells."""

    @classmethod
    def of(cls, document: Document) -> _Hint:
        """The hint that a document begins with."""
        found = _HINT.match(document.head.decode("utf-8-sig", errors="surrogateescape"))
        if found is None:
            return cls()
        named = _NAMED.fullmatch(found["named"])
        return cls(found["line"], named["delimiter"] if named else "")


def _read_header(document: Document, hint: _Hint, rules: RowRules) -> tuple[str, list[str]]:
    """Delimiter and column names. Errors quote no unknown name: without a header it may be a token."""
    head = document.head.decode("utf-8-sig", errors="surrogateescape")
    if hint.line:
        head = _HINT.sub("", head, count=1)
    delimiter, names = _best(head, hint.delimiter or _DELIMITERS)
    if not any(likeness(names)):
        raise _no_header(document.name, head, hint, rules)
    if not all(is_text(name) for name in names):
        raise InputError(f"{document.name}: the header is not UTF-8", hint="Save the file as UTF-8.")
    require_columns(f"{document.name}: the header", names, rules)
    columns = [name if name.strip() else f"column_{place}" for place, name in enumerate(names, 1)]
    refuse_duplicates(f"{document.name}: the header", columns)
    _refuse_swallowed(document.name, head, RowShape.of(delimiter, columns, rules), columns)
    return delimiter, columns


def _best(head: str, delimiters: str) -> tuple[str, list[str]]:
    """The delimiter that makes the header yield most known columns, and its names."""
    headers = {delimiter: _first_record(head, delimiter) for delimiter in delimiters}
    return max(headers.items(), key=lambda item: likeness(item[1]))


def _no_header(name: str, head: str, hint: _Hint, rules: RowRules) -> InputError:
    """What to say where none of our columns is named."""
    if not hint.line:
        return InputError(
            f"{name}: the first line is no header: it names none of our columns", hint=expected(rules)
        )
    delimiter, names = _best(head, _DELIMITERS)
    if hint.delimiter and any(likeness(names)):
        return InputError(
            f"{name}: the first line, sep={hint.delimiter}, does not fit: the header has {delimiter!r}"
            " between its columns",
            hint="Take the first line out, or save the file anew.",
        )
    return InputError(
        f"{name}: the line below the first one, sep={hint.delimiter}, is no header: it names none of our"
        " columns",
        hint=expected(rules),
    )


def _first_record(head: str, delimiter: str) -> list[str]:
    records = Records(io.StringIO(head, newline=""), delimiter)
    cells = next(iter(records), [])
    return cells if records.flaw is None or records.flaw.reason == "bad_encoding" else []


def _refuse_swallowed(name: str, head: str, shape: RowShape, columns: Sequence[str]) -> None:
    """Refuse a header that a stray pair of quotation marks has made go on into the rows.

    A header names columns, and no app type. The two marks may stand in any two columns here: nothing says
    how many there should be.
    """
    header = Records(io.StringIO(head, newline=""), shape.delimiter)
    next(iter(header))
    if header.spread and (any(map(shape.has_app_type, header.lines)) or shape.holds_row(columns)):
        raise InputError(
            f"{name}: the header goes on to a line that looks like a row",
            hint="Look for a quotation mark in the header that is not closed.",
        )
