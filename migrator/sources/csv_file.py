"""CSV, as databases, spreadsheets and people write it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, TextIO

from migrator.errors import InputError
from migrator.models import Reject
from migrator.sources.columns import EXPECTED, known_column, refuse_duplicates, require_columns
from migrator.sources.document import ROW_LIMIT, Document
from migrator.sources.flaw import Flaw
from migrator.sources.interface import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DELIMITERS = ",;\t|"
_QUOTATION = (
    "Look for a quotation mark that is not closed, or not doubled within a cell, "
    f"and for a cell of more than {csv.field_size_limit():,} characters."
)


class CsvFile:
    """CSV in UTF-8, with a header; its delimiter is the one that makes the header yield most known columns.

    A row may end early: the cells that are missing count as empty. Blank lines are no rows.
    """

    def __init__(self, document: Document) -> None:
        """Read the header.

        Raises ``InputError`` where there is none, or it repeats a column or lacks a required one.
        """
        self._document = document
        self._delimiter, self._columns = _read_header(document)

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
            lines = _Lines(text)
            records = _records(lines, self._delimiter)
            next(records, None)  # the header, which was read before
            for cells in records:
                flaw = lines.flaw or self._misfit(cells, lines)
                if flaw:
                    yield Reject(self.name, lines.first, flaw.reason, f"{lines.extent} {flaw.detail}")
                else:
                    padding = [""] * (len(self._columns) - len(cells))
                    yield Row(lines.first, dict(zip(self._columns, [*cells, *padding], strict=True)))

    def _misfit(self, cells: Sequence[str], lines: _Lines) -> Flaw | None:
        """What is wrong, if the cells do not fit the header; the detail goes on from ``extent``."""
        columns = len(self._columns)
        if len(cells) > columns:
            return Flaw("bad_row", f"has {len(cells)} cells, the header only {columns}.")
        if len(cells) < columns and lines.spread:
            return Flaw("bad_row", f"has only {len(cells)} of {columns} cells. {_QUOTATION}")
        if len(cells) < columns and not lines.ended:
            return Flaw(
                "bad_row", f"is cut off by the end of the file, after {len(cells)} of {columns} cells."
            )
        return None


class _TooLongError(Exception):
    """A record outgrew ``ROW_LIMIT``."""


class _Lines:
    """Hands the CSV reader its lines, and knows which of them, in what condition, make the current record."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._number = 0
        self._size = 0
        self.first = 1
        """Physical line where the current record begins."""
        self.flaw: Flaw | None = None
        """What is wrong with the current record; the detail goes on from ``extent``."""
        self.ended = True
        """Whether the last line had a line end: if not, the file may be cut off."""

    def begin_record(self) -> None:
        self.first = self._number + 1
        self.flaw = None
        self._size = 0

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
            self.flaw = Flaw("bad_row", "holds a NUL character.")
        if not line.isascii() and not _is_text(line):
            self.flaw = Flaw("bad_encoding", "is not UTF-8: save the file as UTF-8.")
        return line

    def _skip_line(self) -> None:
        while not self.ended and (piece := self._text.readline(ROW_LIMIT)):
            self.ended = piece.endswith(("\n", "\r"))

    @property
    def spread(self) -> bool:
        """Whether the current record goes over more than one line."""
        return self._number > self.first

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
            lines.flaw = Flaw("bad_row", f"cannot be taken apart. {_QUOTATION}")
        except _TooLongError:
            lines.flaw = Flaw("bad_row", f"has more than {ROW_LIMIT:,} characters. {_QUOTATION}")
        if lines.flaw or not _is_blank(cells):
            yield cells


def _is_blank(cells: Sequence[str]) -> bool:
    return len(cells) <= 1 and not "".join(cells).strip()


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_header(document: Document) -> tuple[str, list[str]]:
    """Delimiter and column names. Errors quote no unknown name: without a header it may be a token."""
    head = document.head.decode("utf-8-sig", errors="surrogateescape")
    headers = {delimiter: _first_record(head, delimiter) for delimiter in _DELIMITERS}
    delimiter, names = max(headers.items(), key=lambda item: sum(1 for name in item[1] if known_column(name)))
    if not any(known_column(name) for name in names):
        message = f"{document.name}: the first line is no header: it names none of our columns"
        raise InputError(message, hint=EXPECTED)
    if not all(_is_text(name) for name in names):
        raise InputError(f"{document.name}: the header is not UTF-8", hint="Save the file as UTF-8.")
    require_columns(f"{document.name}: the header", names)
    columns = [name if name.strip() else f"column_{place}" for place, name in enumerate(names, 1)]
    refuse_duplicates(f"{document.name}: the header", columns)
    return delimiter, columns


def _first_record(head: str, delimiter: str) -> list[str]:
    lines = _Lines(io.StringIO(head, newline=""))
    cells = next(_records(lines, delimiter), [])
    return cells if lines.flaw is None or lines.flaw.reason == "bad_encoding" else []
