"""Legacy tokens in: one file a format, one interface, one registry.

- ``csv_file``, ``json_array``, ``json_lines``, ``sqlite_table``, ``sql_table``: the formats (``interface``)
- ``screening``: which rows can be used, and which were met before
- ``row_reader``, ``known_cells``: what a row says, and why it cannot be used
- ``csv_records``, ``row_shape``: the records of a CSV file, and how a row of it looks
- ``columns``, ``missing_columns``: what columns mean, and those that are not there
- ``used_columns``: what those may say that only some providers' calls use
- ``expiry_time``, ``damaged_cells``: what cells may say; ``unreadable_row``: what rows are
- ``duplicates``: what was met before; ``prints_in_memory``, ``prints_on_disk``: where that is remembered
- ``document``, ``foreign_formats``: the bytes of a file; ``sql_connection``: somebody's database, by URL
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Protocol

from migrator.errors import InputError
from migrator.row_rules import RowRules
from migrator.sources.columns import KNOWN_COLUMNS, alike, known_column
from migrator.sources.csv_file import CsvFile
from migrator.sources.damaged_cells import is_damaged
from migrator.sources.document import Document
from migrator.sources.foreign_formats import refuse_foreign
from migrator.sources.interface import Row, Source
from migrator.sources.json_array import JsonArray
from migrator.sources.json_lines import JsonLines
from migrator.sources.sql_connection import DatabaseUrl, is_url
from migrator.sources.sql_table import open_database
from migrator.sources.sqlite_table import SqliteTable

__all__ = [
    "KNOWN_COLUMNS",
    "Row",
    "Source",
    "alike",
    "is_damaged",
    "known_column",
    "open_source",
]


class _TextFormat(Protocol):
    """A class of sources that read a ``Document``."""

    def recognises(self, start: bytes) -> bool:
        """Whether a text that starts like this, white space aside, is one of its kind."""

    def __call__(self, document: Document, rules: RowRules) -> Source: ...


_TEXT_FORMATS: tuple[_TextFormat, ...] = (JsonArray, JsonLines, CsvFile)
"""The registry, in the order of asking: any text may be CSV."""

_URL_HINT = "It is one like postgresql://user@host/database or sqlite:///legacy.db."


def open_source(spec: str, *, stdin: BinaryIO, rules: RowRules, query: str | None = None) -> Source:
    """The source that ``spec`` names: a file, ``database:table``, a database's URL, or ``-`` for ``stdin``.

    Its content tells a file's format, whatever it is called; ``rules`` tell which columns it must have;
    ``query`` takes the place of a URL's table.
    Raises ``InputError`` where the source cannot be used at all, as far as its beginning shows, as
    ``Source.rows`` does where that shows later, and ``ConfigurationError`` for a URL of no use.
    """
    if not spec:
        raise InputError(
            "a file of tokens is named by nothing", hint="Name it; is a variable of your shell empty?"
        )
    if is_url(spec) and not _is_there(spec):
        return open_database(DatabaseUrl.parse(spec), query, rules)
    if query is not None:
        raise InputError(f"{spec}: is no URL of a database, to which a query could go", hint=_URL_HINT)
    if spec == "-":
        return _open_text(Document.of_stream(spec, stdin), rules)
    database = None if _is_there(spec) else _split_table(spec)
    if database:
        path, table = database
        document = Document.of_file(spec, path)
        if not SqliteTable.recognises(document.head):
            raise InputError(
                f"{path}: is not a SQLite database",
                hint="Only a database has tables to name: leave out what follows the colon.",
            )
        return SqliteTable(document, path, table, rules=rules)
    document = Document.of_file(spec, Path(spec))
    if SqliteTable.recognises(document.head):
        return SqliteTable(document, Path(spec), table="", rules=rules)
    return _open_text(document, rules)


def _open_text(document: Document, rules: RowRules) -> Source:
    refuse_foreign(document)
    return next(form for form in _TEXT_FORMATS if form.recognises(document.start))(document, rules)


def _split_table(spec: str) -> tuple[Path, str] | None:
    """File and table, at the first colon before which there is a file."""
    for place, character in enumerate(spec):
        if character == ":" and _is_there(spec[:place]):
            return Path(spec[:place]), spec[place + 1 :]
    return None


def _is_there(path: str) -> bool:
    """Whether there is something at ``path``, as far as can be seen."""
    try:
        Path(path).lstat()
    except OSError:
        return False
    return bool(path)  # the empty path is taken for the working folder
