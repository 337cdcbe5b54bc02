"""Ctrl-C, SIGTERM and SIGHUP: the first asks the job to end, a second SIGINT ends it at once."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from migrator.errors import ExitCode

_STREAMS = (1, 2)
"""Standard output and standard error."""


class Interruption:
    """Whether somebody asked the job to end."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        """Set when the job shall end; the job itself may set it too."""
        self.requested = False
        """Whether it was a signal that asked."""
        self.hung_up = False
        """Whether one of them was SIGHUP."""
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
def signals_handled(seconds: float) -> Iterator[Interruption]:
    """Turn SIGINT, SIGTERM and SIGHUP into a request to end, while the block lasts.

    ``seconds`` is how long what is in flight may take. SIGHUP comes when the terminal has gone; what is said
    to it from then on goes nowhere, and is no error. Whoever started the process with ``nohup`` wants it to
    go on, so a SIGHUP that was ignored stays ignored.
    """
    interruption = Interruption()

    def handle(number: int, _frame: FrameType | None) -> None:
        if interruption.undone:
            _leave("interrupted while reading the files: run it again")
        if interruption.requested and number == signal.SIGINT:
            # The ledger stays true: every intent is in it, and what is not completed will be asked again.
            _leave("left at once; 'migrator resume' goes on")
        interruption.requested = True
        interruption.hung_up = interruption.hung_up or number == signal.SIGHUP
        interruption.stop.set()
        if interruption.hung_up:
            detach_closed_terminals()
        _tell(f"ending: what is in flight may take {seconds:.0f} s at the most; Ctrl-C again leaves at once")

    heeding = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        heeding.append(signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in heeding}
    try:
        yield interruption
    finally:
        if interruption.hung_up:  # once more: 'tee' and its like end a little later
            detach_closed_terminals()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Within it, SIGTERM and SIGHUP raise ``KeyboardInterrupt``, so that what is half made is put away."""
    heeding = [signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        heeding.append(signal.SIGHUP)
    before = {number: signal.signal(number, signal.default_int_handler) for number in heeding}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def detach_closed_terminals() -> None:
    """Let what is written to a terminal that has gone, or to a pipe that nobody reads, go nowhere."""
    for descriptor in _STREAMS:
        with suppress(OSError):
            if _has_gone(descriptor):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)


def _has_gone(descriptor: int) -> bool:
    """Whether nobody is at the other end any more."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))


def _leave(text: str) -> NoReturn:
    _tell(text)
    os._exit(ExitCode.INTERRUPTED)


def _tell(text: str) -> None:
    """To stderr, past all buffers; whoever read it may have been interrupted too."""
    with suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), f"\n{text}\n".encode())
