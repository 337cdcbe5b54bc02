"""Where an export goes: a new file, standard output, or a table of the application's own database."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import uuid4

from migrator.errors import OutputError
from migrator.handover.formats import Format, Rows, blocks, csv_lines, json_lines
from migrator.handover.tables.database_table import arrival, write_table
from migrator.handover.tables.values import even
from migrator.output_files import give_name, private
from migrator.sources.sql_connection import DatabaseUrl

_FORMATS: Mapping[str, Format] = {".jsonl": json_lines, ".csv": csv_lines}
"""By the ending of a file's name."""


class Destination(Protocol):
    """Where an export goes."""

    @property
    def name(self) -> str:
        """As the ledger and messages name it; without a password."""

    @property
    def part(self) -> Path | None:
        """The file that is written before it gets its name, or None where there is none."""

    @property
    def takes_back(self) -> bool:
        """Whether nobody gets anything of an export that is not whole."""

    @property
    def delivery_id(self) -> str | None:
        """By which its receiver knows it, where that can be asked afterwards; else None."""

    def has_arrived(self, delivery_id: str) -> bool | None:
        """Whether an earlier export there has; one that has not never will. None where nobody can be asked.

        Raises ``OutputError``.
        """

    def write(self, rows: Rows, sealed: Callable[[str], None]) -> None:
        """Write all rows, or none, where it ``takes_back``.

        ``sealed`` is told the SHA-256 of a file that is whole and has no name yet. Raises ``OutputError``.
        """


class NewFile:
    """A file that is there wholly or not at all, for its owner alone, never in the place of another one."""

    takes_back = True
    delivery_id: str | None = None

    def __init__(self, path: Path) -> None:
        """The ending tells the format: ``.jsonl`` or ``.csv``. Raises ``OutputError`` if the file exists."""
        self._path = path.absolute()
        if path.suffix.lower() not in _FORMATS:
            raise OutputError(
                f"{path}: the ending of its name tells no format", hint="call it .jsonl or .csv"
            )
        self._format = _FORMATS[path.suffix.lower()]
        if os.path.lexists(path):
            raise OutputError(f"{path} exists already", hint="an export never replaces a file: name another")
        self.part: Path | None = self._path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")

    @property
    def name(self) -> str:
        return str(self._path)

    def has_arrived(self, delivery_id: str) -> None:
        del delivery_id  # its own name and content tell

    def write(self, rows: Rows, sealed: Callable[[str], None]) -> None:
        if self.part is None:
            raise ValueError("an export is written once")
        try:
            with private(self.part) as stream:
                digest = hashlib.sha256()
                for block in blocks(self._format(rows)):
                    content = block.encode("utf-8", "backslashreplace")
                    digest.update(content)
                    stream.write(content)
            sealed(digest.hexdigest())
            give_name(self.part, self._path)
        except OSError as error:
            raise OutputError(
                f"{self._path} cannot be written: {error.strerror}",
                hint="nothing was handed over: check disk and permissions, or name another file",
            ) from None
        finally:
            with suppress(OSError):
                self.part.unlink(missing_ok=True)


class Stream:
    """Standard output, as JSON lines."""

    takes_back = False
    delivery_id: str | None = None
    name = "-"
    part: Path | None = None

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def has_arrived(self, delivery_id: str) -> None:
        del delivery_id

    def write(self, rows: Rows, sealed: Callable[[str], None]) -> None:
        del sealed
        for block in blocks(json_lines(rows)):
            self._stream.write(block.encode())
        self._stream.flush()


class Table:
    """A table of the application's own database."""

    takes_back = True
    part: Path | None = None

    def __init__(self, url: DatabaseUrl, key: str) -> None:
        """``key`` is the column by which a row is known again."""
        self._url = url
        self._key = key
        self.delivery_id: str | None = str(uuid4())

    @property
    def name(self) -> str:
        return str(self._url)

    def write(self, rows: Rows, sealed: Callable[[str], None]) -> None:
        del sealed
        if self.delivery_id is None:
            raise ValueError("an export is written once")
        columns = rows.columns()
        rows_alike = (even(row, columns) for row in rows)
        write_table(self._url, rows_alike, key=self._key, delivery_id=self.delivery_id)

    def has_arrived(self, delivery_id: str) -> bool:
        return arrival(self._url, delivery_id).arrived
