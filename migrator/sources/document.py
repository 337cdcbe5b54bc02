"""The bytes beneath a text format: a file or a stream, looked into once before it is read."""

from __future__ import annotations

import errno
import io
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from migrator.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer

HEAD_SIZE = 64 * 1024
"""Bytes read to recognise a format. A CSV header, or the first of the JSON lines, must end within them."""

ROW_LIMIT = 1024 * 1024
"""Characters (JSON lines: bytes) that one row may have: what is longer would not fit into bounded memory."""

UTF8_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Document:
    """A file or stream by the name that the user gave it, and its first bytes."""

    name: str
    head: bytes = field(repr=False)
    """The first ``HEAD_SIZE`` bytes, or all there are."""
    reopen: Callable[[], BinaryIO] = field(repr=False)
    """Gives the bytes from the start; a stream can do so only once."""

    @classmethod
    def of_file(cls, name: str, path: Path) -> Document:
        """The file at ``path``.

        A pipe (``<(gpg -d tokens.csv.gpg)``) can be opened only once, and is held open instead.
        Raises ``InputError`` where it is missing, a directory, or unreadable.
        """
        with _reading(name):
            if not path.is_file():
                return cls.of_stream(name, path.open("rb"), ours=True)
            with path.open("rb") as stream:
                return cls(name, stream.read(HEAD_SIZE), lambda: path.open("rb"))

    @classmethod
    def of_stream(cls, name: str, stream: BinaryIO, *, ours: bool = False) -> Document:
        """What is left of ``stream``; read once, and closed afterwards if it is ``ours``."""
        with _reading(name):
            head = stream.read(HEAD_SIZE)
        return cls(name, head, lambda: io.BufferedReader(_Replay(head, stream, ours=ours)))

    @property
    def start(self) -> bytes:
        """The head without byte order mark and leading white space."""
        return self.head.removeprefix(UTF8_BOM).lstrip(b" \t\r\n")

    @property
    def is_whole(self) -> bool:
        """Whether the head is all there is."""
        return len(self.head) < HEAD_SIZE

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The bytes from the start, closed at the end; a fault of the file system comes as ``InputError``."""
        with _reading(self.name), self.reopen() as stream:
            yield stream


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Turn what the file system says of the file ``name`` into ``InputError``."""
    try:
        yield
    except OSError as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: OSError) -> InputError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        hint = "Check the path; a table of a SQLite database is named legacy.db:table, standard input is -."
        return InputError(f"{name}: there is no such file", hint=hint)
    if error.errno == errno.EISDIR:
        return InputError(f"{name}: is a directory", hint="Name the files in it that hold legacy tokens.")
    what = error.strerror or "input/output error"
    return InputError(
        f"{name}: cannot be read ({what})", hint="Check who may read the file, and the medium it is on."
    )


class _Replay(io.RawIOBase):
    """A stream whose first bytes were read already: those again, then the rest."""

    def __init__(self, head: bytes, rest: BinaryIO, *, ours: bool) -> None:
        self._head = head
        self._rest = rest
        self._ours = ours

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if self._ours:
            self._rest.close()
        super().close()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._head[: len(view)] or self._rest.read(len(view))
        self._head = self._head[len(data) :]
        view[: len(data)] = data
        return len(data)
