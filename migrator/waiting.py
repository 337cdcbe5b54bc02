"""How those wait who make a call: for the network, for the ledger, for their turn.

In a thread of its own, a caller simply holds that thread up. In a task (``migrator.tasks``) it lets the other
tasks of its thread go on meanwhile. Which of the two, only this module knows.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, TypeVar

T = TypeVar("T")

_LOOK = 0.02
"""Seconds after which a task looks again whether it has been told to end."""


class Flag(Protocol):
    """Set once, by whatever thread; waited for by the one task or thread that asked for it."""

    def set(self) -> None:
        """Let who waits go on."""

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is set, or for so long; whether it is."""


class Loop(Protocol):
    """What runs the tasks of one thread."""

    def flag(self) -> Flag:
        """A flag that the present task waits for."""

    def sleep(self, seconds: float) -> None:
        """Let others go on for so long."""

    def wait_for(self, descriptor: int, seconds: float, *, writing: bool) -> None:
        """Wait until a socket can be read from, or written to, or for so long."""

    def elsewhere(self, work: Callable[[], T]) -> T:
        """What ``work`` returns, or raises, in a thread that it may hold up."""


class _Here(threading.local):
    loop: Loop | None = None


_here = _Here()


def run_by(loop: Loop) -> None:
    """From now on, who waits in this thread is a task of the loop."""
    _here.loop = loop


def flag() -> Flag:
    """A flag that whoever asks for it waits for."""
    return _here.loop.flag() if _here.loop is not None else _ThreadFlag()


def until_set(event: threading.Event, seconds: float) -> bool:
    """Wait until an event is set, by whatever thread, or for so long; whether it is."""
    loop = _here.loop
    if loop is None:
        return event.wait(seconds)
    ends = time.monotonic() + seconds
    while not event.is_set() and (left := ends - time.monotonic()) > 0:
        loop.sleep(min(left, _LOOK))
    return event.is_set()


def for_socket(sock: socket.socket, seconds: float, *, writing: bool = False) -> None:
    """Wait until a socket can be read from, or written to, or for so long."""
    if _here.loop is not None:
        _here.loop.wait_for(sock.fileno(), seconds, writing=writing)
        return
    poll = select.poll()
    poll.register(sock, select.POLLOUT if writing else select.POLLIN)
    poll.poll(seconds * 1000)


def elsewhere(work: Callable[[], T]) -> T:
    """What ``work`` returns, or raises: it waits in ways of its own, which must not hold other tasks up."""
    return _here.loop.elsewhere(work) if _here.loop is not None else work()


class Lock:
    """A lock that is handed on in the order in which it was asked for, among tasks and threads."""

    def __init__(self) -> None:
        self._own = threading.Lock()
        self._held = False
        self._waiting: deque[Flag] = deque()

    def __enter__(self) -> None:
        with self._own:
            if not self._held:
                self._held = True
                return
            turn = flag()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._own:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._held = False


class _ThreadFlag:
    """A lock is all that takes; an ``Event`` costs as much as what it is waited for."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        self._lock.release()

    def wait(self, seconds: float | None = None) -> bool:
        is_set = self._lock.acquire(timeout=-1 if seconds is None else seconds)
        if is_set:
            self._lock.release()
        return is_set
