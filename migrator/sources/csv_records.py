"""The records of a CSV text, and of which of its lines each is made."""

from __future__ import annotations

import csv
import io
from itertools import chain
from typing import TYPE_CHECKING, TextIO

from migrator.sources.document import ROW_LIMIT
from migrator.sources.unreadable_row import RowProblem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

QUOTATION = (
    "Look for a quotation mark that is not closed, or not doubled within a cell, "
    f"and for a cell of more than {csv.field_size_limit():,} characters."
)
_CHUNK = 64 * 1024


class Records:
    """Gives the cells of each record but blank ones, and knows of the current one where it stands.

    The lines go to Python's CSV reader by the block, since most records are one line with nothing odd in it:
    its lines are looked at only for what ``suspect`` and ``spread`` say. ``strict`` because the reader would
    else take an open quotation mark to end at any later one, and make one row of two. After an error it
    begins anew with the next line.
    """

    def __init__(self, text: TextIO, delimiter: str, lines_before: int = 0) -> None:
        """``lines_before`` were taken from the text already; it was opened with ``newline=""``."""
        self._lines = _Lines(text, lines_before)
        self._delimiter = delimiter
        self._broken: RowProblem | None = None
        self.first = lines_before + 1
        """Physical line where the current record begins."""
        self.last = lines_before
        """And where it ends."""

    def __iter__(self) -> Iterator[list[str]]:
        """The cells of each record; none of one that cannot be taken apart, as ``flaw`` says."""
        lines = self._lines
        stream = chain.from_iterable(lines)
        while True:
            reader = csv.reader(stream, delimiter=self._delimiter, strict=True)
            before = self.last
            try:
                for cells in reader:
                    self.first = lines.begun
                    self.last = before + reader.line_num
                    if not _is_blank(cells):
                        yield cells
                    lines.begun = self.last + 1
            except csv.Error:
                self.last = before + reader.line_num
                self._broken = RowProblem("bad_row", f"cannot be taken apart. {QUOTATION}")
            except _TooLongError:
                self.last = lines.handed_out
                self._broken = RowProblem("bad_row", f"has more than {ROW_LIMIT:,} characters. {QUOTATION}")
                stream = chain.from_iterable(lines)  # an iterator that has raised gives nothing more
            else:
                return
            self.first = lines.begun
            yield []
            self._broken = None
            lines.begun = self.last + 1

    @property
    def suspect(self) -> bool:
        """Whether there may be a flaw: something is wrong here or near."""
        return self._lines.suspect or self._broken is not None

    @property
    def flaw(self) -> RowProblem | None:
        """What is wrong with the current record, whatever its cells; the detail goes on from ``extent``."""
        flaw = self._broken
        for line in [] if flaw else self.lines:
            if "\0" in line:
                flaw = RowProblem("bad_row", "holds a NUL character.")
            if not is_text(line):
                flaw = RowProblem("bad_encoding", "is not UTF-8: save the file as UTF-8.")
        return flaw

    @property
    def lines(self) -> Sequence[str]:
        """The current record's lines."""
        return self._lines.between(self.first, self.last)

    @property
    def spread(self) -> bool:
        """Whether the current record goes over more than one line."""
        return self.last > self.first

    @property
    def ended(self) -> bool:
        """Whether the last line has a line end: if not, the file may be cut off."""
        return _has_end(self.lines[-1])

    @property
    def pieces(self) -> int:
        """How many cells the current record's first line would have without quotation marks."""
        return self.lines[0].count(self._delimiter) + 1

    @property
    def extent(self) -> str:
        """What the current record is called in a sentence."""
        return f"The row of lines {self.first} to {self.last}" if self.spread else "The row"


class _TooLongError(Exception):
    """A record outgrew ``ROW_LIMIT``."""


class _Lines:
    """Hands out the physical lines of a text in blocks, and holds those of the record that is being read."""

    def __init__(self, text: TextIO, lines_before: int) -> None:
        self._text = text
        self._rest = ""
        """The beginning of a line whose end was not read yet."""
        self._ahead: list[str] = []
        """Lines that were read, and not handed out."""
        self._held: list[str] = []
        """Lines that were handed out, from line ``_start`` on."""
        self._start = lines_before + 1
        self.begun = lines_before + 1
        """The line where the record begins that is being read; whoever reads it says so."""
        self._size = 0
        """Characters of the lines held."""
        self.suspect = False
        """Whether a line held or ahead may have NUL characters, or what is not UTF-8."""

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> list[str]:
        """More lines, to a reader that has used up those before.

        They come one by one where they may make a record too long, so that the reader stops at the line
        that does. Then raises ``_TooLongError``, and goes on behind that line.
        """
        self._forget()
        if not self._ahead:
            self._read()
        if not self._ahead:
            raise StopIteration
        if self._held or sum(map(len, self._ahead)) >= ROW_LIMIT:
            lines = [self._ahead.pop(0)]
        else:
            lines, self._ahead = self._ahead, []
        self._held += lines
        self._size += sum(map(len, lines))
        if self._size > ROW_LIMIT or (len(lines[-1]) == ROW_LIMIT and not _has_end(lines[-1])):
            raise _TooLongError
        return lines

    @property
    def handed_out(self) -> int:
        """The number of the last line that was handed out."""
        return self._start + len(self._held) - 1

    def between(self, first: int, last: int) -> list[str]:
        """The lines with these numbers, which must belong to the record that is being read."""
        return self._held[first - self._start : last + 1 - self._start]

    def _forget(self) -> None:
        """Let go of the lines before the record that is being read."""
        if self.begun > self._start:
            del self._held[: self.begun - self._start]
            self._start = self.begun
            self._size = sum(map(len, self._held))

    def _read(self) -> None:
        """Read on, to the end of a line at least."""
        suspect = False
        while not self._ahead:
            chunk = self._text.read(max(_CHUNK, len(self._rest)))
            text = self._rest + chunk
            suspect = suspect or "\0" in text or not is_text(text)
            self._ahead = io.StringIO(text, newline="").readlines()
            self._rest = ""
            if not chunk:
                break
            if not self._ahead[-1].endswith("\n"):  # of a carriage return, the next chunk may have the rest
                self._rest = _shortened(self._ahead.pop())
        self.suspect = suspect or (self.suspect and bool(self._held))


def _has_end(line: str) -> bool:
    return line.endswith(("\n", "\r"))


def _shortened(line: str) -> str:
    """A line, or as much of it as tells that it is too long, and whether it has ended."""
    return line if len(line) <= ROW_LIMIT + 1 else line[:ROW_LIMIT] + line[-1]


def _is_blank(cells: Sequence[str]) -> bool:
    """Whether nothing stands in a record: a spreadsheet leaves rows of mere delimiters below its last one."""
    return not (cells and cells[0].strip()) and not "".join(cells).strip()


def is_text(text: str) -> bool:
    """Whether a text could be written as UTF-8: undecodable bytes were read as lone surrogates."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
