"""Serves the application with cheroot, a server for production: many threads, requests of bounded size, no
access log (URLs hold codes and links), and an end that lets what is under way finish.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.wsgi import Gateway_10, Server

from migrator.consent.web.protection.limits import LARGEST_REQUEST
from migrator.errors import ConfigurationError
from migrator.wire.running_time import RunningClock

if TYPE_CHECKING:
    from socket import socket
    from wsgiref.types import WSGIApplication

log = logging.getLogger(__name__)

THREADS = 64
"""Requests at once; further ones wait."""
_IDLE_SECONDS = 10
"""How long a connection is kept on which nothing comes, or half a request. Browsers open some in advance, and
each keeps a thread until it has said something."""
_POLL = 0.02
_LONGEST_STOP = 5.0
"""Seconds for the server to end once nothing is under way."""


class _RequestsUnderWay:
    """Knows how many requests have not been answered yet."""

    def __init__(self) -> None:
        self._number = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self._number += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._number -= 1

    def wait_for_none(self, seconds: float, running: RunningClock) -> None:
        """Return once nothing is under way, or after so long."""
        deadline = running() + seconds
        while self._number and running() < deadline:
            time.sleep(_POLL)


def _counting(under_way: _RequestsUnderWay) -> type[Gateway_10]:
    """Cheroot's gateway, which counts a request until the last byte of its answer is written."""

    class Counting(Gateway_10):
        def respond(self) -> None:
            with under_way:
                super().respond()

    return Counting


Refusal = Callable[[int, str], tuple[Iterable[tuple[str, str]], bytes]]
"""Headers and body of an answer, by its status and the request's ``Accept-Language``."""


class _Request(HTTPRequest):
    """Cheroot's, whose own answers to what is no request are pages as all of ours."""

    def simple_response(self, status: str, msg: str = "") -> None:
        """Say that it is none; ``msg`` might quote it."""
        del msg
        self.close_connection = True
        accepted = self.inheaders.get(b"Accept-Language", b"").decode("latin-1")
        headers, body = self.server.refusal(int(status[:3]), accepted)
        all_headers = [("Connection", "close"), *headers]
        lines = (f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in all_headers), "", "")
        with suppress(OSError):  # whoever sent it may have gone
            self.conn.wfile.write("\r\n".join(lines).encode("ascii") + body)


class _Connection(HTTPConnection):
    RequestHandlerClass = _Request


class _Server(Server):
    """Cheroot's, which tells our log, and leaves nothing open where it cannot listen."""

    ConnectionClass = _Connection
    refusal: Refusal
    max_request_header_size = LARGEST_REQUEST
    max_request_body_size = LARGEST_REQUEST
    expiration_interval = 0.05  # also how long a stop takes at least

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """What cheroot met with; its tracebacks may hold what a request said."""
        del msg, traceback
        log.log(min(level, logging.WARNING), "the web server met with a broken request or connection")

    @staticmethod
    def bind_socket(socket_: socket, bind_addr: tuple[str, int]) -> socket:
        """Bind, or close."""
        try:
            socket_.bind(bind_addr)
        except OSError:
            socket_.close()
            raise
        return socket_


@contextmanager
def serving(
    app: WSGIApplication,
    host: str,
    port: int,
    *,
    refusal: Refusal,
    drain_seconds: float,
    running: RunningClock = time.monotonic,
) -> Iterator[int]:
    """Serve ``app`` in background threads until the block ends; gives the port (0 takes any free one).

    ``refusal`` answers what the application never sees.
    In the end what is under way may take ``drain_seconds`` more, as ``running`` counts them. Raises
    ``ConfigurationError`` if it cannot listen.
    """
    under_way = _RequestsUnderWay()
    server = _Server(
        (host, port),
        app,
        numthreads=THREADS,
        request_queue_size=128,
        timeout=_IDLE_SECONDS,
        shutdown_timeout=1,  # for whoever says nothing; what is under way is waited for before
        server_name="consent",
    )
    server.refusal = refusal
    server.gateway = _counting(under_way)
    problem = _prepare(server)
    if problem is not None:
        raise ConfigurationError(
            f"cannot listen on {host} port {port}: {_reason(problem)}",
            hint="choose another with --port",
        )
    thread = threading.Thread(target=server.serve, name="consent-server", daemon=True)
    thread.start()
    try:
        yield server.bind_addr[1]
    finally:
        under_way.wait_for_none(drain_seconds, running)
        # It waits for whoever still sends half a request; they and their threads need not be waited for.
        stopping = threading.Thread(target=server.stop, name="consent-stop", daemon=True)
        stopping.start()
        stopping.join(_LONGEST_STOP)
        thread.join(_LONGEST_STOP)


def _prepare(server: _Server) -> OSError | None:
    """Have the server listen and start its threads; returns why it cannot, if so.

    From a daemon thread, so that those are daemons too: at the end nobody waits for one that is kept busy.
    """
    problems: list[OSError] = []

    def prepare() -> None:
        try:
            server.prepare()
        except OSError as error:
            problems.append(error)

    preparing = threading.Thread(target=prepare, name="consent-prepare", daemon=True)
    preparing.start()
    preparing.join()
    return problems[0] if problems else None


def _reason(error: OSError) -> str:
    """Why nobody can listen: cheroot wraps the system's error into a text."""
    found = re.search(r"\[Errno -?\d+\] ([^'\")]+)", str(error))
    return error.strerror or (found[1] if found else str(error))
