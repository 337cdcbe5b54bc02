"""One job a ledger: an advisory lock that the system lets go of when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrator.errors import LedgerLockedError, LedgerUnwritableError


@contextmanager
def exclusive(ledger: Path) -> Iterator[None]:
    """Hold the ledger for this process.

    Raises ``LedgerLockedError``, naming the process, if another one does. The file ``<ledger>.lock`` stays
    behind and means nothing by itself: the lock is the system's, not the file's.
    """
    path = ledger.with_name(ledger.name + ".lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LedgerUnwritableError(
            f"{path} cannot be written: {error.strerror}",
            hint="check disk and permissions of its folder, or name another ledger with --ledger FILE",
        ) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            raise LedgerLockedError(
                f"the ledger {ledger} is in use by process {holder}",
                hint="wait until it is done; two jobs on the same tokens would kill each other's pairs",
            ) from None
        except OSError as error:
            raise LedgerUnwritableError(
                f"{path} cannot be locked: {error.strerror}", hint="keep the ledger on a local disk"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
