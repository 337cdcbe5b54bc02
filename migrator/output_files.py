"""Result files: written whole, for their owner alone, and only then given their name."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from migrator.errors import OutputError

_KEPT = 50
"""Characters of a name that are seen in that of its part."""


def write_file(path: Path, chunks: Iterable[str]) -> None:
    """Write a text file (UTF-8, mode 0600) that is either there wholly or not at all.

    A file of that name is replaced. Raises ``OutputError``.
    """
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder", hint="name a file")
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp makes it 0600
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.writelines(chunks)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _unwritable(path, error) from None
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written: {error.strerror}",
        hint="check disk and permissions of its folder, or name another file",
    )


def write_new_file(path: Path, chunks: Iterable[str]) -> None:
    """The same for a file that is never put in the place of another one. Raises ``OutputError``."""
    part = part_of_new(path)
    try:
        with private(part) as stream:
            stream.writelines(chunk.encode("utf-8", "backslashreplace") for chunk in chunks)
        give_name(part, path)
    except FileExistsError:
        raise taken(path) from None
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with suppress(OSError):
            part.unlink()


def part_of_new(path: Path) -> Path:
    """What a new file is called, beside its place, until it is whole. Raises ``OutputError``."""
    require_new(path)
    # Not longer than the name itself may be.
    return path.with_name(f".{path.name[:_KEPT]}.{secrets.token_hex(4)}.part")


def require_new(path: Path, hint: str = "name another file") -> None:
    """Refuse, before any work is done for it, what no new file can be called. Raises ``OutputError``."""
    if path.name in ("", ".."):
        raise OutputError(f"{str(path)!r} is a folder", hint="name a file")
    try:
        path.lstat()
    except FileNotFoundError:  # its folder may be missing too: whoever makes the file is told
        return
    except OSError as error:
        raise _unwritable(path, error) from None
    raise taken(path, hint)


def taken(path: Path, hint: str = "name another file") -> OutputError:
    """What to say of a name that another file has."""
    return OutputError(f"{path} exists already", hint=hint)


@contextmanager
def private(path: Path) -> Iterator[BinaryIO]:
    """A new file of mode 0600 that is on disk when the block ends."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def give_name(part: Path, path: Path) -> None:
    """Name a file, unless another one of that name has come meanwhile."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        part.replace(path)
    try:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError:
        path.unlink(missing_ok=True)  # its name may not be on disk, and nobody shall count on it
        raise
