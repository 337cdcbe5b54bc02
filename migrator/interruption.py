"""Ctrl-C and SIGTERM: the first asks the job to end, a second SIGINT ends it at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from migrator.errors import ExitCode


class Interruption:
    """Whether somebody asked the job to end."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        """Set when the job shall end; the job itself may set it too."""
        self.requested = False
        """Whether it was a signal that asked."""
        self.undone = False
        """Whether the process may end at any moment without having done anything."""

    @contextmanager
    def nothing_done_yet(self) -> Iterator[None]:
        """Within it, the first signal ends the process at once: there is nothing in flight to wait for."""
        self.undone = True
        try:
            yield
        finally:
            self.undone = False


@contextmanager
def heeded(seconds: float) -> Iterator[Interruption]:
    """Turn SIGINT and SIGTERM into a request to end, while the block lasts.

    ``seconds`` is how long what is in flight may take.
    """
    interruption = Interruption()

    def handle(number: int, _frame: FrameType | None) -> None:
        if interruption.undone:
            _leave("interrupted while reading the files: run it again")
        if interruption.requested and number == signal.SIGINT:
            # The ledger stays true: every intent is in it, and what is not completed will be asked again.
            _leave("left at once; 'migrator resume' goes on")
        interruption.requested = True
        interruption.stop.set()
        _tell(f"ending: what is in flight may take {seconds:.0f} s at the most; Ctrl-C again leaves at once")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(text: str) -> NoReturn:
    _tell(text)
    os._exit(ExitCode.INTERRUPTED)


def _tell(text: str) -> None:
    """To stderr, past all buffers; whoever read it may have been interrupted too."""
    with suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), f"\n{text}\n".encode())
