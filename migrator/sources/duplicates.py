"""Remembers what a run's files held so far: in memory while that is little, then in a database."""

from __future__ import annotations

import secrets
from types import TracebackType

from migrator.sources.prints_in_memory import PrintsInMemory
from migrator.sources.prints_on_disk import PrintsOnDisk
from migrator.sources.screening import Repeated

MOST_IN_MEMORY = 1_250_000
"""Rows; they take 70 MB."""
_LINES = 1 << 40
"""More than any source has. A place is one number: so many for each source before, and the line."""


class DuplicateIndex:
    """``screening.Seen`` for any number of rows.

    It keeps no value, but a print of each: two of Python's own hashes of the value behind a word that nobody
    else knows. These hashes are keyed ones (SipHash), so that nobody can make two values have one print.
    """

    def __init__(self, most_in_memory: int = MOST_IN_MEMORY) -> None:
        """So many rows are kept in memory."""
        self._room = most_in_memory
        self._tokens: PrintsInMemory | PrintsOnDisk = PrintsInMemory(most_in_memory)
        self._keys: PrintsInMemory | PrintsOnDisk = PrintsInMemory(most_in_memory)
        self._word, self._other_word = secrets.token_hex(16), secrets.token_hex(16)
        self._sources: list[str] = []
        self._base = 0
        """The place of line 0 of the last source."""

    def repeated(self, token: str, key: str, source: str, line: int) -> Repeated | None:
        """As ``Seen`` has it."""
        if not self._room:
            self._go_to_disk()
        if not self._sources or source != self._sources[-1]:
            self._base = len(self._sources) * _LINES
            self._sources.append(source)
        self._room -= 1
        place = self._base + line
        word, other_word = self._word, self._other_word
        first, second = hash(word + token), hash(other_word + token) & 0xFFFFFFFF
        if (earlier := self._tokens.meet(first, second, place)) is not None:
            return Repeated("oauth_token", self._named(earlier))
        if key:
            first, second = hash(word + key), hash(other_word + key) & 0xFFFFFFFF
            if (earlier := self._keys.meet(first, second, place)) is not None:
                self._tokens.forget_last()
                return Repeated("connection_id", self._named(earlier))
        return None

    def __enter__(self) -> DuplicateIndex:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for prints in (self._tokens, self._keys):
            if isinstance(prints, PrintsOnDisk):
                prints.close()

    def _named(self, place: int) -> str:
        """A place as ``file:line``."""
        source, line = divmod(place, _LINES)
        return f"{self._sources[source]}:{line}"

    def _go_to_disk(self) -> None:
        """Leave the memory, which is full."""
        if isinstance(self._tokens, PrintsInMemory):
            self._tokens = PrintsOnDisk(self._tokens.all())
        if isinstance(self._keys, PrintsInMemory):
            self._keys = PrintsOnDisk(self._keys.all())
