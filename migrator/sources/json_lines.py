"""JSON lines: one object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, BinaryIO

from migrator.errors import InputError
from migrator.models import Reject
from migrator.sources.columns import known_column
from migrator.sources.document import ROW_LIMIT, UTF8_BOM, Document
from migrator.sources.interface import Row
from migrator.sources.json_values import DECODER, NO_JSON_VALUE, check_row
from migrator.sources.unreadable_row import RowProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.row_rules import RowRules

_ONE_OBJECT_HINT = (
    "Make it a JSON array of rows, or one row a line: jq -c '.tokens[]' takes them out of a member."
)


class JsonLines:
    """JSON lines in UTF-8; blank lines are none."""

    def __init__(self, document: Document, rules: RowRules) -> None:  # noqa: ARG002 - given to every format
        """Look at the first lines. Raises ``InputError`` where the whole file is one object."""
        if _is_one_object(document):
            message = f"{document.name}: is one JSON object, not an array or lines of them"
            raise InputError(message, hint=_ONE_OBJECT_HINT)
        self._document = document

    @staticmethod
    def recognises(start: bytes) -> bool:
        """Whether the text begins with an object."""
        return start.startswith(b"{")

    @property
    def name(self) -> str:
        """The file as the user named it."""
        return self._document.name

    def rows(self) -> Iterator[Row | Reject]:
        """Each row by its physical line."""
        with self._document.open() as stream:
            for number, line in _lines(stream):
                row = _parse(line)
                yield Row(number, row) if isinstance(row, dict) else Reject(self.name, number, *row)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line but blank ones; of a line over ``ROW_LIMIT``, that many bytes."""
    number = 0
    while line := stream.readline(ROW_LIMIT):
        number += 1
        piece = line
        while len(piece) == ROW_LIMIT and not piece.endswith(b"\n"):
            piece = stream.readline(ROW_LIMIT)
        if number == 1:
            line = line.removeprefix(UTF8_BOM)
        if line.strip():
            yield number, line


def _parse(line: bytes) -> dict[str, object] | RowProblem:
    """The row, or what is wrong with it. Says nothing that the JSON decoder says: it may quote the line."""
    if len(line) >= ROW_LIMIT:
        return RowProblem("bad_json", f"The line has {ROW_LIMIT:,} bytes or more.")
    try:
        return check_row(DECODER.decode(line.decode()))
    except UnicodeDecodeError:
        return RowProblem("bad_encoding", "The line is not UTF-8: save the file as UTF-8.")
    except json.JSONDecodeError as error:
        return RowProblem("bad_json", f"The line is not JSON, from character {error.colno} on.")
    except (ValueError, RecursionError):
        return RowProblem("bad_json", NO_JSON_VALUE)


def _is_one_object(document: Document) -> bool:
    """Whether the file is a single object: ``{"tokens": […]}``, on one line or printed over many."""
    first, newline, rest = document.start.partition(b"\n")
    if not newline and not document.is_whole:
        return True
    row = _parse(first)
    if isinstance(row, dict):
        return document.is_whole and not rest.strip() and not any(known_column(name) for name in row)
    return first.rstrip().endswith((b"{", b"[")) or rest.lstrip().startswith(b'"')
