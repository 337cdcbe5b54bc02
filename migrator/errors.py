"""Everything that can go wrong for a reason that a user can act on.

One root; each class carries the exit code that it means, each error says what is wrong, where, and what to
do. ``cli`` is the one place that turns them into a message.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What an exit code of the command means (the same list stands in the README)."""

    DONE = 0
    """All that can be swapped is swapped."""
    INCOMPLETE = 1
    """Finished, but some connections failed or are uncertain."""
    USAGE = 2
    """Wrong usage, configuration or input file."""
    STOPPED = 3
    """Stopped early; ``resume`` goes on."""
    LOCKED = 4
    """The ledger is in use by another process."""
    INTERRUPTED = 130
    """Interrupted; ``resume`` goes on."""


class MigratorError(Exception):
    """The root: what is wrong (with file, line or setting) and, as ``hint``, what to do about it."""

    exit_code: ClassVar[ExitCode] = ExitCode.STOPPED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigurationError(MigratorError):
    """A setting is missing, unknown or impossible."""

    exit_code = ExitCode.USAGE


class InputError(MigratorError):
    """A file of legacy tokens cannot be used at all.

    Single rows that cannot be used are rejects, not errors.
    """

    exit_code = ExitCode.USAGE


class OutputError(MigratorError):
    """A result could not be written."""

    exit_code = ExitCode.USAGE


class InterruptedExportError(MigratorError):
    """Somebody asked an export to end before it was whole: nothing is handed over."""

    exit_code = ExitCode.INTERRUPTED


class LedgerError(MigratorError):
    """The ledger is missing, is not ours, or was encrypted under another key."""

    exit_code = ExitCode.USAGE


class LedgerLockedError(MigratorError):
    """Another process works on the same ledger."""

    exit_code = ExitCode.LOCKED


class LedgerUnwritableError(MigratorError):
    """What happened could not be recorded, so nothing further may be sent."""

    exit_code = ExitCode.STOPPED


class StoppedError(MigratorError):
    """A fault that would hit every connection; the untouched ones stay ``pending``."""

    exit_code = ExitCode.STOPPED

    def __init__(self, message: str, *, hint: str = "", resume_at: datetime | None = None) -> None:
        """``resume_at`` is when the provider lets the job go on (UTC), where it said so."""
        super().__init__(message, hint=hint)
        self.resume_at = resume_at
