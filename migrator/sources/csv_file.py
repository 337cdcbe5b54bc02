"""CSV, as databases, spreadsheets and people write it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from migrator.errors import InputError
from migrator.models import Reject
from migrator.sources.columns import expected, likeness, refuse_duplicates, require_columns
from migrator.sources.document import ROW_LIMIT, Document
from migrator.sources.interface import Row
from migrator.sources.row_shape import RowShape
from migrator.sources.unreadable_row import RowProblem
from migrator.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrator.row_rules import RowRules

_DELIMITERS = ",;\t|"
_QUOTATION = (
    "Look for a quotation mark that is not closed, or not doubled within a cell, "
    f"and for a cell of more than {csv.field_size_limit():,} characters."
)
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
            lines = _Lines(text, self._shape.is_row)
            if self._hint.line:
                next(lines, None)
            records = _records(lines, self._delimiter)
            next(records, None)  # the header, which was read before
            for cells in records:
                flaw = lines.flaw or self._misfit(cells, lines)
                if flaw:
                    yield Reject(self.name, lines.first, flaw.reason, f"{lines.extent} {flaw.detail}")
                else:
                    padding = [""] * (len(self._columns) - len(cells))
                    yield Row(lines.first, dict(zip(self._columns, [*cells, *padding], strict=True)))

    def _misfit(self, cells: Sequence[str], lines: _Lines) -> RowProblem | None:
        """What is wrong, if the cells do not fit the header; the detail goes on from ``extent``."""
        columns = len(self._columns)
        if len(cells) > columns:
            return RowProblem("bad_row", f"has {counted(len(cells), 'cell')}, the header only {columns}.")
        if len(cells) < columns and lines.spread:
            return RowProblem("bad_row", f"has only {len(cells)} of {columns} cells. {_QUOTATION}")
        if len(cells) < columns and not lines.ended:
            return RowProblem(
                "bad_row", f"is cut off by the end of the file, after {len(cells)} of {columns} cells."
            )
        if len(cells) < columns <= lines.pieces(self._delimiter):
            return RowProblem(
                "bad_row", f"has only {len(cells)} of {columns} cells, but delimiters for all. {_QUOTATION}"
            )
        if lines.spread and (lines.alike > 1 or self._shape.holds_row(cells)):
            return RowProblem("bad_row", _SWALLOWED)
        return None


class _TooLongError(Exception):
    """A record outgrew ``ROW_LIMIT``."""


class _Lines:
    """Hands the CSV reader its lines, and knows which of them, in what condition, make the current record."""

    def __init__(self, text: TextIO, is_row: Callable[[str], bool]) -> None:
        """``is_row`` says of a physical line whether it could be a row by itself."""
        self._text = text
        self._is_row = is_row
        self._number = 0
        self._size = 0
        self._start = ""
        self.first = 1
        """Physical line where the current record begins."""
        self.flaw: RowProblem | None = None
        """What is wrong with the current record; the detail goes on from ``extent``."""
        self.ended = True
        """Whether the last line had a line end: if not, the file may be cut off."""
        self.alike = 0
        """How many lines of the current record could be a row each, if it goes over more than one."""

    def begin_record(self) -> None:
        self.first = self._number + 1
        self.flaw = None
        self._size = 0
        self.alike = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(ROW_LIMIT)
        if not line:
            raise StopIteration
        self._number += 1
        self._size += len(line)
        self.ended = line.endswith(("\n", "\r"))
        if self._size > ROW_LIMIT or not (self.ended or len(line) < ROW_LIMIT):
            self._skip_line()
            raise _TooLongError
        if "\0" in line:
            self.flaw = RowProblem("bad_row", "holds a NUL character.")
        if not line.isascii() and not _is_text(line):
            self.flaw = RowProblem("bad_encoding", "is not UTF-8: save the file as UTF-8.")
        if self._number > self.first:
            self._compare(line)
        else:
            self._start = line
        return line

    def _compare(self, line: str) -> None:
        """Count the lines alike; the first of a record only once there is a second."""
        if self._number == self.first + 1:
            self.alike += self._is_row(self._start)
        self.alike += self._is_row(line)

    def _skip_line(self) -> None:
        while not self.ended and (piece := self._text.readline(ROW_LIMIT)):
            self.ended = piece.endswith(("\n", "\r"))

    @property
    def spread(self) -> bool:
        """Whether the current record goes over more than one line."""
        return self._number > self.first

    def pieces(self, delimiter: str) -> int:
        """How many cells the current record's first line would have without quotation marks."""
        return self._start.count(delimiter) + 1

    @property
    def extent(self) -> str:
        """What the current record is called in a sentence."""
        return f"The row of lines {self.first} to {self._number}" if self.spread else "The row"


def _records(lines: _Lines, delimiter: str) -> Iterator[list[str]]:
    """The cells of each record but blank ones; what cannot be taken apart comes with ``lines.flaw``.

    ``strict`` because the reader would else take an open quotation mark to end at any later one, and make one
    row of two. After an error it begins anew with the next line.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin_record()
        cells: list[str] = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lines.flaw = RowProblem("bad_row", f"cannot be taken apart. {_QUOTATION}")
        except _TooLongError:
            lines.flaw = RowProblem("bad_row", f"has more than {ROW_LIMIT:,} characters. {_QUOTATION}")
        if lines.flaw or not _is_blank(cells):
            yield cells


def _is_blank(cells: Sequence[str]) -> bool:
    """Whether nothing stands in a record: a spreadsheet leaves rows of mere delimiters below its last one."""
    return not "".join(cells).strip()


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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
    if not all(_is_text(name) for name in names):
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
    lines = _Lines(io.StringIO(head, newline=""), lambda _: False)
    cells = next(_records(lines, delimiter), [])
    return cells if lines.flaw is None or lines.flaw.reason == "bad_encoding" else []


def _refuse_swallowed(name: str, head: str, shape: RowShape, columns: Sequence[str]) -> None:
    """Refuse a header that a stray pair of quotation marks has made go on into the rows.

    A header names columns, and no app type. The two marks may stand in any two columns here: nothing says
    how many there should be.
    """
    lines = _Lines(io.StringIO(head, newline=""), shape.has_app_type)
    next(_records(lines, shape.delimiter))
    if lines.alike or (lines.spread and shape.holds_row(columns)):
        raise InputError(
            f"{name}: the header goes on to a line that looks like a row",
            hint="Look for a quotation mark in the header that is not closed.",
        )
