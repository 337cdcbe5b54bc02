"""Where an answer goes that the ledger could not take: an encrypted file beside it, one text a line.

A disk that is full for the ledger is full for a new file too, so the file is made, and its blocks allocated,
before the first call. What is in it is taken into the ledger the next time that it is opened for a job.
"""

from __future__ import annotations

import base64
import logging
import os
import threading
from collections.abc import Callable, Iterator
from itertools import chain, count
from pathlib import Path
from typing import TypeVar

from migrator.errors import LedgerError, LedgerUnwritableError
from migrator.ledger.file.vault import Vault

T = TypeVar("T")

ROOM_FOR_EACH = 16 * 1024
"""Bytes for one answer: several times the largest pair that was ever seen."""

_PURPOSE = "rescue"

log = logging.getLogger(__name__)


class RescueFile:
    """The rescue file of a ledger that is open for a job."""

    def __init__(self, ledger: Path, vault: Vault) -> None:
        self.path = ledger.with_name(ledger.name + ".rescue")
        self.vault = vault
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._end = 0
        self._damaged = False

    @staticmethod
    def waits(ledger: Path) -> bool:
        """Whether the rescue file of a ledger holds answers. Raises ``LedgerError`` if nobody can tell."""
        try:
            return bool(ledger.with_name(ledger.name + ".rescue").read_bytes().strip(b"\0"))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unreadable(ledger.with_name(ledger.name + ".rescue"), error) from None

    def read(self, decode: Callable[[str], T]) -> Iterator[T]:
        """What an earlier job could not write into the ledger, decoded; a damaged line is passed over, and
        kept.

        ``decode`` raises ``ValueError`` or ``KeyError`` for a text that it does not know. Raises
        ``LedgerError`` if the file cannot be read.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unreadable(self.path, error) from None
        for line in content.strip(b"\0").split(b"\n"):
            if line:
                try:
                    decoded = decode(self.vault.open(base64.b64decode(line), _PURPOSE).reveal())
                except (ValueError, KeyError, LedgerError):
                    self._damaged = True
                else:
                    yield decoded

    def clear(self) -> None:
        """Take the file away, once the ledger has what was in it. Raises ``OSError``."""
        if self._damaged:
            kept = self._free_name()
            self.path.replace(kept)
            log.warning("a part of the rescue file could not be read; it is kept as %s", kept)
        self.path.unlink(missing_ok=True)

    def set_aside(self, answers: int) -> None:
        """Make the file anew, with room for so many answers, once the ledger has what was in it.

        Raises ``LedgerUnwritableError`` if there is no room.
        """
        size = answers * ROOM_FOR_EACH
        try:
            self.clear()
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            os.posix_fallocate(self._descriptor, 0, size)
            os.fsync(self._descriptor)
        except OSError as error:
            self.close()
            raise LedgerUnwritableError(
                f"there is no room for {self.path} ({size:,} bytes): {error.strerror}",
                hint="make room: it takes the answers that are under way should the ledger not be writable",
            ) from None

    def _free_name(self) -> Path:
        """Where a damaged file is kept; what was kept before stays."""
        first = self.path.with_name(f"{self.path.name}.damaged")
        others = (first.with_name(f"{first.name}.{number}") for number in count(2))
        return next(path for path in chain([first], others) if not path.exists())

    def save(self, text: str) -> None:
        """Put one text on disk. Raises ``OSError`` if even that cannot be done."""
        line = base64.b64encode(self.vault.seal(text, _PURPOSE)) + b"\n"
        with self._lock:
            if self._descriptor is None:
                raise OSError("the rescue file is not open")
            written = 0
            while written < len(line):
                written += os.pwrite(self._descriptor, line[written:], self._end + written)
            os.fsync(self._descriptor)
            self._end += len(line)

    def close(self) -> None:
        """Let go of the file. It goes if this process made it and saved nothing in it."""
        if self._descriptor is None:
            return
        os.close(self._descriptor)
        self._descriptor = None
        if self._end == 0:
            self.path.unlink(missing_ok=True)


def _unreadable(path: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"the rescue file {path} cannot be read: {error.strerror}",
        hint="answers wait in it that the ledger lacks: see that it is a file of yours, and run it again",
    )
