"""One job a ledger, and one consent application beside it: advisory locks that the system lets go of when
their process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from migrator.errors import LedgerLockedError, LedgerUnwritableError


@contextmanager
def exclusive(ledger: Path) -> Iterator[None]:
    """Hold the ledger for this process.

    Raises ``LedgerLockedError``, naming the process, if another one does. The file ``<ledger>.lock`` stays
    behind and means nothing by itself: the lock is the system's, not the file's.
    """
    with held(
        ledger.with_name(ledger.name + ".lock"),
        f"the ledger {ledger} is in use by process",
        "wait until it is done; two jobs on the same tokens would kill each other's pairs",
    ):
        yield


def serve_path(ledger: Path) -> Path:
    """The name from which those of the consent application's own files are made."""
    return ledger.with_name(ledger.name + ".serve")


@contextmanager
def consents(ledger: Path) -> Iterator[None]:
    """Hold the consents of a ledger: for serving them, or for what nobody may be served meanwhile.

    The file is ``<ledger>.serve.lock``. Raises ``LedgerLockedError``, naming the process, if another does.
    """
    with held(
        serve_path(ledger).with_name(serve_path(ledger).name + ".lock"),
        f"'migrator reconsent serve', or what excludes it, works on {ledger}: process",
        "end it, or wait until it is done",
    ):
        yield


@contextmanager
def deliveries(ledger: Path, receiver: str = "") -> Iterator[None]:
    """Hold the deliveries of a ledger: for making them to a receiver of this name, or for what nobody may
    make them meanwhile.

    The file is ``<ledger>.deliver.lock``. Raises ``LedgerLockedError``, naming the process, if another does.
    """
    with held(
        _deliver_path(ledger),
        f"pairs of {ledger} are being delivered by process",
        "end it, or wait until it is done",
        said=receiver,
    ):
        yield


def _deliver_path(ledger: Path) -> Path:
    return ledger.with_name(ledger.name + ".deliver.lock")


@contextmanager
def deliveries_if_free(ledger: Path, receiver: str) -> Iterator[bool]:
    """The same, if no other process holds them; gives whether that is so.

    Raises ``LedgerLockedError`` if one does that delivers to somebody else.
    """
    with ExitStack() as stack:
        free = True
        try:
            stack.enter_context(deliveries(ledger, receiver))
        except LedgerLockedError as error:
            free = False
            said = _deliver_path(ledger).read_text("utf-8", "replace").partition(" ")[2].strip()
            if said not in ("", receiver):  # empty: it has just begun, or just ended
                raise LedgerLockedError(
                    f"{error.message}, to {said}", hint="all that deliver must do so to the same receiver"
                ) from None
        yield free


@contextmanager
def consents_if_free(ledger: Path) -> Iterator[bool]:
    """The same, if no other process holds them; gives whether that is so."""
    with ExitStack() as stack:
        free = True
        try:
            stack.enter_context(consents(ledger))
        except LedgerLockedError:
            free = False
        yield free


@contextmanager
def held(path: Path, taken: str, hint: str, *, said: str = "") -> Iterator[None]:
    """Hold a lock file; ``taken`` and ``hint`` say what it means that another process does.

    ``said`` stands in the file, behind the process's number.
    """
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
            holder = os.read(descriptor, 32).decode("ascii", "replace").partition(" ")[0].strip() or "unknown"
            raise LedgerLockedError(f"{taken} {holder}", hint=hint) from None
        except OSError as error:
            raise LedgerUnwritableError(
                f"{path} cannot be locked: {error.strerror}", hint="keep the ledger on a local disk"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {said}".rstrip().encode() + b"\n", 0)
        yield
    finally:
        os.close(descriptor)
