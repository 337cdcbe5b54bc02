"""What became of exports whose process died, as far as files tell.

A file that is whole and has its name was handed over; one that is not, was not. A database knows, and is
asked by who has its password. Of a stream nobody knows: its pairs stay with the application until they are
exported again.
"""

from __future__ import annotations

import hashlib
import os
from enum import StrEnum
from pathlib import Path

from migrator.ledger.exports import Unfinished


class Fate(StrEnum):
    """How an export ended whose process died."""

    HANDED_OVER = "handed over"
    NOT_HANDED_OVER = "not handed over"
    UNKNOWN = "unknown"
    TO_BE_ASKED = "to be asked"
    """Its receiver knows."""


def fate(export: Unfinished) -> Fate:
    """Find out; takes away a file that has no name yet: it holds tokens, and is nobody's."""
    if export.part is None:
        return Fate.UNKNOWN if export.delivery_id is None else Fate.TO_BE_ASKED
    part, target = Path(os.fsdecode(export.part)), Path(os.fsdecode(export.target))
    links = part.stat().st_nlink if part.exists() else 0
    part.unlink(missing_ok=True)
    if export.sha256 is None:
        return Fate.NOT_HANDED_OVER
    # A whole file that lost the name it was written under, or has another one besides, has got its own, even
    # if somebody has taken it away since.
    named = links != 1 or _sha256_of(target) == export.sha256
    return Fate.HANDED_OVER if named else Fate.NOT_HANDED_OVER


def _sha256_of(path: Path) -> str | None:
    """The SHA-256 of a file, or None if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
