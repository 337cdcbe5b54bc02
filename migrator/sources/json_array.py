"""A JSON array of objects, taken in element by element.

With the standard library's decoder and not with ijson, for what ijson 3.6 does with valid JSON: an integer of
more than 4,300 digits is a segmentation fault, or with ``use_float`` one of more than 64 bits ends the file;
deep nesting takes memory by the square of the depth; half a surrogate pair becomes a question mark. And there
a bad element ends the file, where here it costs itself only.
"""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, TextIO

from migrator.errors import InputError
from migrator.models import Reject
from migrator.sources.document import ROW_LIMIT, Document
from migrator.sources.interface import Row
from migrator.sources.json_values import DECODER, NO_JSON_VALUE, check_row
from migrator.sources.unreadable_row import RowProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.row_rules import RowRules

_CHUNK = 64 * 1024
_VISIBLE = re.compile(r"[^ \t\n\r]")
_STRUCTURE = re.compile(r'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', re.DOTALL)
"""A whole string, or what opens, closes or parts; a lone quotation mark begins a string without an end."""


class JsonArray:
    """A JSON array in UTF-8, streamed: no more of it is held than one element and a chunk."""

    def __init__(self, document: Document, rules: RowRules) -> None:  # noqa: ARG002 - given to every format
        self._document = document

    @staticmethod
    def recognises(start: bytes) -> bool:
        """Whether the text begins with an array."""
        return start.startswith(b"[")

    @property
    def name(self) -> str:
        """The file as the user named it."""
        return self._document.name

    def rows(self) -> Iterator[Row | Reject]:
        """Each element by its index, from 1.

        Raises ``InputError`` where the array is cut off, or so damaged that nobody can say where the next
        element begins; what came before has been handed out by then.
        """
        index = 0
        with (
            self._document.open() as stream,
            # Undecodable bytes pass as lone surrogates, so that they cost their row and not the file.
            io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="") as text,
        ):
            try:
                for index, row in enumerate(_elements(_Window(text)), 1):
                    yield Row(index, row) if isinstance(row, dict) else Reject(self.name, index, *row)
            except _DamagedError as error:
                where = f"after element {index}" if index else "before its first element ends"
                hint = "Write the file anew; jq . FILE or python -m json.tool FILE say where it breaks."
                raise InputError(f"{self.name}: the JSON array {error}, {where}", hint=hint) from None


class _DamagedError(Exception):
    """Where the next element begins cannot be told; says what is wrong and never quotes the file."""


class _Window:
    """A text of any length, through which a reader moves forward; what lies behind is let go."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.held = ""
        self.at = 0
        """Where in ``held`` the reader stands."""

    def more(self) -> None:
        """Hold a chunk more, or twice as much as before of a long element.

        Raises ``_DamagedError`` where there is no more, or one element takes too much.
        """
        begun = len(self.held) - self.at
        if begun > ROW_LIMIT:
            raise _DamagedError(f"goes on for more than {ROW_LIMIT:,} characters without a next element")
        chunk = self._text.read(max(_CHUNK, begun))
        if not chunk:
            raise _DamagedError("is cut off")
        self.held = self.held[self.at :] + chunk
        self.at = 0

    def peek(self) -> str:
        """The next character that is not white space, or nothing at the end."""
        while (found := _VISIBLE.search(self.held, self.at)) is None:
            self.held = self._text.read(_CHUNK)
            self.at = 0
            if not self.held:
                return ""
        self.at = found.start()
        return found[0]

    def take(self) -> str:
        """The same character, gone past."""
        character = self.peek()
        self.at += len(character)
        return character


def _elements(window: _Window) -> Iterator[dict[str, object] | RowProblem]:
    """Each element as a row, or as reason and detail."""
    mark = window.take()  # the opening bracket, by which the format was recognised
    if window.peek() == "]":
        mark = window.take()
    while mark != "]":
        yield _element(window)
        mark = window.take()
        if mark not in (",", "]", ""):  # at the end of the text, the next element finds out
            raise _DamagedError("lacks a comma or has a bracket too many")
    if window.peek():
        raise _DamagedError("is followed by something else")


def _element(window: _Window) -> dict[str, object] | RowProblem:
    """The element that begins here, however many chunks it takes."""
    window.peek()
    while True:
        row, end = _decode(window.held, window.at)
        if end is not None:
            window.at = end
            return row
        window.more()


def _decode(text: str, start: int) -> tuple[dict[str, object] | RowProblem, int | None]:
    """The element at ``start`` and where it ends, None if not in ``text``."""
    row: dict[str, object] | RowProblem
    try:
        value, end = DECODER.raw_decode(text, start)
        row = check_row(value)
        if isinstance(value, dict):
            return row, end
    except json.JSONDecodeError:
        row = RowProblem("bad_json", "The element is not JSON.")
    except (ValueError, RecursionError):
        row = RowProblem("bad_json", NO_JSON_VALUE)
    return row, _end_of_element(text, start)


def _end_of_element(text: str, start: int) -> int | None:
    """Where the element at ``start`` ends, by brackets, strings and commas alone; None if not in ``text``."""
    depth = 0
    for match in _STRUCTURE.finditer(text, start):
        mark = match[0]
        if mark == '"':
            return None
        if depth == 0 and mark in (",", "]", "}"):
            return match.start()
        depth += (mark in ("[", "{")) - (mark in ("]", "}"))
    return None
