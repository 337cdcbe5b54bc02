"""Ctrl-C and SIGTERM: the first asks the job to end, a second SIGINT ends it at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from migrator.errors import ExitCode


class Interruption:
    """Whether somebody asked the job to end."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        """Set when the job shall end; the job itself may set it too."""
        self.requested = False
        """Whether it was a signal that asked."""


@contextmanager
def heeded(seconds: float) -> Iterator[Interruption]:
    """Turn SIGINT and SIGTERM into a request to end, while the block lasts.

    ``seconds`` is how long that may take.
    """
    interruption = Interruption()

    def handle(number: int, _frame: FrameType | None) -> None:
        if interruption.requested and number == signal.SIGINT:
            # The ledger stays true: every intent is in it, and what is not completed will be asked again.
            _tell("left at once; 'migrator resume' goes on")
            os._exit(ExitCode.INTERRUPTED)
        interruption.requested = True
        interruption.stop.set()
        _tell(f"ending: what is in flight may take {seconds:.0f} s at the most; Ctrl-C again leaves at once")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(text: str) -> None:
    """To stderr, past all buffers; whoever read it may have been interrupted too."""
    with suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), f"\n{text}\n".encode())
