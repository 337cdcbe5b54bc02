"""How long a call may take: counted while this process runs, and never before what has arrived is read.

The time-outs of sockets count on while a process is stopped, and begin anew with each byte. So an answer is
read without them: what is there is taken, else the socket is waited for until the running time says that it
is over, and then it is looked at once more.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from datetime import datetime, timedelta
from typing import Any, Protocol

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.util.wait import wait_for_read

from migrator.models import Clock
from migrator.providers import network_faults
from migrator.wire.http_connections import (
    NotConnectedError,
    ProxiedAdapter,
    ProxiedConnection,
    ProxiedTlsConnection,
)
from migrator.wire.network import DIRECT, Network
from migrator.wire.running_time import RunningClock

LONGEST_IDLE = timedelta(seconds=15)
"""A connection that was not used for longer is made anew. Its other end may have gone while this machine
slept, and who sends a call into such a connection never learns what came of it."""


class TimedAdapter(ProxiedAdapter):
    """An adapter for one worker, whose calls end when their time is over, wherever they hang."""

    def __init__(self, running: RunningClock, clock: Clock, network: Network = DIRECT) -> None:
        """``running`` counts what a call may take; ``clock`` shows how long a connection was idle.

        Raises ``OSError`` if the network's authorities cannot be read any more.
        """
        self._time = _CallTime(running, clock)
        self._used = clock()
        super().__init__(network)

    def begin(self, seconds: float) -> None:
        """What is sent from now on ends after so many seconds of running time."""
        if self._time.away_since(self._used, LONGEST_IDLE):
            self.close()
        self._time.begin(seconds)

    def end(self) -> None:
        """The call is over."""
        self._used = self._time.clock()

    def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:
        """Make the pools of connections that lead straight to a server."""
        super().init_poolmanager(*arguments, **keywords)
        self.poolmanager.pool_classes_by_scheme = _timed_pools(self._time)

    def proxy_manager_for(self, proxy: str, **keywords: Any) -> Any:
        """Make the pools of connections through a proxy, or give those that were made for it."""
        manager = super().proxy_manager_for(proxy, **keywords)
        manager.pool_classes_by_scheme = _timed_pools(self._time)
        return manager


class _CallTime:
    """The time of the call that is under way."""

    def __init__(self, running: RunningClock, clock: Clock) -> None:
        self.running = running
        self.clock = clock
        self._ends = running()
        self._begun = clock()
        self._longest = timedelta()

    def begin(self, seconds: float) -> None:
        self._ends = self.running() + seconds
        self._begun = self.clock()
        self._longest = timedelta(seconds=seconds)

    def left(self) -> float:
        """Seconds that it may take yet."""
        return self._ends - self.running()

    def away_since(self, moment: datetime, longest: timedelta) -> bool:
        """Whether more than that has passed since, or somebody has set the clock so that nobody knows."""
        return abs(self.clock() - moment) > longest

    def too_late_to_send(self) -> bool:
        """Whether it may not be sent any more: its signature tells the time at which it began."""
        return self.left() <= 0 or self.away_since(self._begun, self._longest)


def _timed_pools(time: _CallTime) -> dict[str, type[HTTPConnectionPool]]:
    """Scheme to urllib3's pool of connections that heed the time of the call."""
    response = type("TimedResponse", (_TimedResponse,), {"time": time})
    return {
        "http": _timed(HTTPConnectionPool, ProxiedConnection, response, time),
        "https": _timed(HTTPSConnectionPool, ProxiedTlsConnection, response, time),
    }


def _timed(
    pool: type[HTTPConnectionPool],
    base: type[HTTPConnection],
    response: type[_TimedResponse],
    time: _CallTime,
) -> type[HTTPConnectionPool]:
    """A urllib3 pool whose connections connect and read so."""

    def connect(self: HTTPConnection) -> None:
        base.connect(self)
        if time.too_late_to_send():
            self.close()
            raise NotConnectedError(network_faults.CONNECT_TIMEOUT)

    connection = type(f"Timed{base.__name__}", (base,), {"connect": connect, "response_class": response})
    return type(f"Timed{pool.__name__}", (pool,), {"ConnectionCls": connection})


class _TimedResponse(http.client.HTTPResponse):
    """The standard library's, which reads from its socket in our way."""

    time: _CallTime

    def __init__(self, sock: socket.socket, *arguments: Any, **keywords: Any) -> None:
        super().__init__(sock, *arguments, **keywords)
        self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, self.time))


class _Readable(Protocol):
    """The standard library's file over a socket."""

    def readinto(self, buffer: Any, /) -> int | None: ...

    def close(self) -> None: ...


class _TimedReader(io.RawIOBase):
    """Reads what has arrived before it looks at the time, whatever has happened meanwhile."""

    def __init__(self, raw: _Readable, sock: socket.socket, time: _CallTime) -> None:
        self._raw = raw
        self._socket = sock
        self._time = time

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read at least one byte, or 0 at the end. Raises ``TimeoutError`` when nothing comes in time."""
        silence = self._socket.gettimeout()
        longest = float("inf") if silence is None else silence
        ends = self._time.running() + longest
        while True:
            left = min(ends - self._time.running(), self._time.left())  # before the look, not after it
            read = self._at_once(buffer, silence)
            if read is not None:
                return read
            if left <= 0:
                raise TimeoutError("timed out")
            wait_for_read(self._socket, left)

    def _at_once(self, buffer: Any, silence: float | None) -> int | None:
        """What is there already; None if that is nothing."""
        self._socket.settimeout(0.0)
        try:
            return self._raw.readinto(buffer)
        except (BlockingIOError, ssl.SSLWantReadError):  # half a record of TLS's is nothing yet
            return None
        finally:
            self._socket.settimeout(silence)

    def close(self) -> None:
        self._raw.close()
        super().close()
