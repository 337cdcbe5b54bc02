"""The log: what of it people see, and the file that holds it in full."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TextIO

from migrator.errors import ConfigurationError
from migrator.terminal.nowhere import divert
from migrator.terminal.printable import printable

log = logging.getLogger(__name__)


class _Printable(logging.Formatter):
    """Log lines hold names that come from outside."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


class _LogFile(logging.StreamHandler[TextIO]):
    """Writes the log to a file until that fails: then it says so once, and the job goes on without."""

    def __init__(self, path: Path) -> None:
        """Open the file, for its owner alone. Raises ``ConfigurationError``."""
        self._path = path
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the log file {path} cannot be written: {error.strerror}",
                hint="name another with --log-file FILE, or go without",
            ) from None
        super().__init__(os.fdopen(descriptor, "a", encoding="utf-8"))
        self.setFormatter(_Printable("%(asctime)s %(levelname)s %(threadName)s %(message)s"))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        divert(self.stream)
        log.error("the log file %s cannot be written: %s; going on without it", self._path, error.strerror)


def set_up(log_file: Path | None, *, quiet: bool, verbose: bool) -> None:
    """Only our own log: the HTTP and OAuth libraries write tokens and signatures into theirs."""
    logger = logging.getLogger("migrator")
    logger.propagate = False
    logger.handlers.clear()
    logger.setLevel(logging.DEBUG if verbose or log_file else logging.WARNING)
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING)
    console.setFormatter(_Printable("%(levelname)s: %(message)s"))
    logger.addHandler(console)
    if log_file is not None:
        logger.addHandler(_LogFile(log_file))
