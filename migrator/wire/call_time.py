"""How long a call may take: counted while this process runs, and never before what has arrived is read.

The time-outs of sockets count on while a process is stopped, and begin anew with each byte. So when one is
over, the running time decides whether the call is, and then the socket is looked at once more.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, TypeVar

from migrator import waiting
from migrator.models import Clock
from migrator.wire.running_time import RunningClock

T = TypeVar("T")

_MOST = 64 * 1024
"""Bytes that are read at once."""


class CallTime:
    """The time of the call that is under way."""

    def __init__(self, running: RunningClock, clock: Clock) -> None:
        """``running`` counts what a call may take; ``clock`` shows how long a connection was idle."""
        self._running = running
        self.clock = clock
        self._ends = running()
        self._begun = clock()
        self._longest = timedelta()

    def begin(self, seconds: float) -> None:
        """What happens from now on ends after so many seconds of running time."""
        self._ends = self._running() + seconds
        self._begun = self.clock()
        self._longest = timedelta(seconds=seconds)

    def left(self) -> float:
        """Seconds that it may take yet."""
        return self._ends - self._running()

    def away_since(self, moment: datetime, longest: timedelta) -> bool:
        """Whether more than that has passed since, or somebody has set the clock so that nobody knows."""
        return abs(self.clock() - moment) > longest

    def too_late_to_send(self) -> bool:
        """Whether it may not be sent any more: its signature tells the time at which it began."""
        return self.left() <= 0 or self.away_since(self._begun, self._longest)

    def receive(self, sock: socket.socket, silence: float, most: int = _MOST) -> bytes:
        """Some of what comes; nothing at its end.

        Raises ``TimeoutError`` once nothing has come for ``silence`` seconds, or the call's time is over.
        """
        return self._once_ready(sock, silence, partial(sock.recv, most), writing=False)

    def send(self, sock: socket.socket, message: bytes, silence: float) -> None:
        """All of a message. Raises as ``receive``."""
        left = memoryview(message)
        while left:
            left = left[self._once_ready(sock, silence, partial(sock.send, left), writing=True) :]

    def _once_ready(self, sock: socket.socket, silence: float, act: Callable[[], T], *, writing: bool) -> T:
        """What ``act`` returns, as soon as the socket lets it."""
        if sock.gettimeout() != 0:
            sock.settimeout(0)
        begun = self._running()
        wait = min(silence, self._ends - begun)
        while True:
            try:
                return act()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                # Half a record of TLS's is nothing yet. Only a look after the time was over gives up.
                if wait <= 0:
                    raise TimeoutError("timed out") from None
                # TLS may have to send before it can receive, and the other way round.
                turned = isinstance(error, ssl.SSLWantReadError if writing else ssl.SSLWantWriteError)
            waiting.for_socket(sock, wait, writing=writing != turned)
            wait = min(begun + silence - self._running(), self.left())


class TimedResponse(http.client.HTTPResponse):
    """The standard library's, of a proxy that is asked for a tunnel, read within the call's time."""

    time: ClassVar[CallTime]

    def __init__(self, sock: socket.socket, *arguments: Any, **keywords: Any) -> None:
        super().__init__(sock, *arguments, **keywords)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock, self.time))


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, time: CallTime) -> None:
        self._socket = sock
        self._time = time
        self._silence = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read at least one byte, or 0 at the end. Raises ``TimeoutError`` when nothing comes in time."""
        silence = float("inf") if self._silence is None else self._silence
        try:
            came = self._time.receive(self._socket, silence, len(buffer))
        finally:
            self._socket.settimeout(self._silence)
        buffer[: len(came)] = came
        return len(came)
