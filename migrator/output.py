"""Result files: written whole, for their owner alone, and only then given their name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from migrator.errors import OutputError


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
