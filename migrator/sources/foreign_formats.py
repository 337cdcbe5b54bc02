"""Files that are no list of legacy tokens, known by their first bytes, and what to do about each."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from migrator.errors import InputError
from migrator.sources.document import UTF8_BOM, Document

_SAVE_AS_UTF8 = (
    "Save it as UTF-8 (in Excel: CSV UTF-8; elsewhere: iconv -f UTF-16 -t UTF-8) and name that file."
)
_UNPACK = "Unpack it and name the file inside, or pipe it in: … | migrator run -"


class _Kind(NamedTuple):
    magic: bytes
    what: str
    hint: str


_KINDS = (
    # UTF-32 comes first: its little-endian mark begins with UTF-16's.
    _Kind(codecs.BOM_UTF32_LE, "is UTF-32 text", _SAVE_AS_UTF8),
    _Kind(codecs.BOM_UTF32_BE, "is UTF-32 text", _SAVE_AS_UTF8),
    _Kind(codecs.BOM_UTF16_LE, "is UTF-16 text", _SAVE_AS_UTF8),
    _Kind(codecs.BOM_UTF16_BE, "is UTF-16 text", _SAVE_AS_UTF8),
    _Kind(
        b"PK\x03\x04",
        "is a spreadsheet (.xlsx, .ods) or another ZIP archive",
        "Save the sheet as CSV UTF-8 and name that file.",
    ),
    _Kind(
        b"\xd0\xcf\x11\xe0",
        "is a spreadsheet (.xls) or another Office document",
        "Save the sheet as CSV UTF-8 and name that file.",
    ),
    _Kind(b"\x1f\x8b", "is compressed (gzip)", _UNPACK),
    _Kind(b"BZh", "is compressed (bzip2)", _UNPACK),
    _Kind(b"\xfd7zXZ\x00", "is compressed (xz)", _UNPACK),
    _Kind(b"\x28\xb5\x2f\xfd", "is compressed (zstd)", _UNPACK),
    _Kind(b"7z\xbc\xaf\x27\x1c", "is compressed (7-Zip)", _UNPACK),
    _Kind(
        b"-----BEGIN PGP MESSAGE",
        "is encrypted (PGP)",
        "Decrypt it and pipe it in: gpg -d FILE | migrator run -",
    ),
    _Kind(b"%PDF-", "is a PDF", "Export the tokens as CSV or JSON."),
    _Kind(
        b"SQLite format 3\x00",
        "is a SQLite database",
        "Name the database file and its table: legacy.db:table",
    ),
)


def refuse_foreign(document: Document) -> None:
    """Raise ``InputError`` if the document is empty or is no text of ours at all."""
    for kind in _KINDS:
        if document.head.startswith(kind.magic):
            raise InputError(f"{document.name}: {kind.what}", hint=kind.hint)
    if not document.start and document.is_whole:
        raise InputError(f"{document.name}: is empty", hint="Check that what was to write it has done so.")
    # A NUL in the first line: no text. One further down is damage, and costs its row only.
    first_line = document.head.removeprefix(UTF8_BOM).partition(b"\n")[0]
    if b"\0" in first_line:
        message = f"{document.name}: is binary, or text in UTF-16 (there are NUL bytes in the first line)"
        raise InputError(message, hint="Export the tokens as CSV, JSON or JSON lines, in UTF-8.")
