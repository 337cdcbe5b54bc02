"""The only module that speaks HTTP: sends a provider's request, returns what came back, judges nothing.

TLS is always verified and redirects are never followed: both would hand credentials to a stranger. The way
out is the ``Network``'s: without a setting, the environment's proxies are not looked at, and ``.netrc`` never
is. Nothing is retried here: only the ledger knows what may be sent again.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from typing import Protocol

from migrator.models import Clock
from migrator.providers import UNSENDABLE, Answer, ApplicationBearer, NoAnswer, Request, network_faults
from migrator.wire.answers_read import AnswerReader, Arriving, BrokenAnswerError
from migrator.wire.call_time import CallTime
from migrator.wire.http_connections import Connections, NotConnectedError
from migrator.wire.network import DIRECT, Network
from migrator.wire.requests_written import written
from migrator.wire.running_time import RunningClock
from migrator.wire.unpacking import Unpacked, unpacked

_LONGEST_CONNECT = 10.0
"""Seconds for TCP and TLS; a server that answers at all answers this sooner than a call."""
LONGEST_BODY = 1 << 20
"""Bytes; no answer of these endpoints is near it."""


def longest_call(timeout: float) -> float:
    """Seconds after which a call has been given up for certain, where an answer may take ``timeout``."""
    return min(_LONGEST_CONNECT, timeout) + timeout


class Wire(Protocol):
    """A way to the provider. One worker owns one; it is not shared."""

    def send(self, request: Request) -> Answer | NoAnswer:
        """Send one request and wait for its answer.

        Never raises for what the network or the provider does.
        """

    def close(self) -> None:
        """Let go of the connections."""


class HttpWire:
    """The real one: each call is written down, sent at once, and its answer read as it comes."""

    def __init__(
        self,
        *,
        timeout: float,
        clock: Clock,
        running: RunningClock = time.monotonic,
        network: Network = DIRECT,
    ) -> None:
        """``timeout`` is how long an answer may take, in seconds; ``running`` counts them."""
        self._timeout = timeout
        self._clock = clock
        self._time = CallTime(running, clock)
        self._connections = Connections(network, self._time)

    def send(self, request: Request) -> Answer | NoAnswer:
        if isinstance(request.auth, ApplicationBearer):
            raise ValueError("the application's own access token was not fetched")  # noqa: TRY004
        try:
            message = written(request, self._clock())
        except ValueError:  # its text may show what cannot be sent
            return NoAnswer(sent=False, problem=UNSENDABLE)
        self._connections.begin(longest_call(self._timeout))
        kept = False
        try:
            sock = self._connections.to(message.origin, min(_LONGEST_CONNECT, self._timeout))
            answer, kept = self._exchange(sock, message.text)
        except NotConnectedError as error:
            return NoAnswer(sent=False, problem=error.problem)
        finally:
            if not kept:
                self._connections.drop(message.origin)
            self._connections.end()
        return answer

    def close(self) -> None:
        self._connections.close()

    def _exchange(self, sock: socket.socket, text: bytes) -> tuple[Answer | NoAnswer, bool]:
        """Send a call and read its answer; with that, whether the connection can be used again."""
        reader = AnswerReader(lambda: self._time.receive(sock, self._timeout))
        arriving: Arriving | None = None
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may have answered before it hung up
                self._time.send(sock, text, self._timeout)
            arriving = reader.head()
            ended = reader.body(arriving, LONGEST_BODY)
        except (BrokenAnswerError, OSError) as error:
            problem = _problem(error, begun=arriving is not None)
            return NoAnswer(sent=True, problem=problem, part=self._part(arriving)), False
        if not ended:
            return NoAnswer(sent=True, problem="answer_too_long", part=self._part(arriving)), False
        return self._whole(arriving), arriving.leaves_open and not reader.has_more

    def _whole(self, arriving: Arriving) -> Answer | NoAnswer:
        """The answer, all of which has come; only a part if it is packed, and too long or not whole."""
        body = _unpacked(arriving)
        if body.whole:
            return self._answer(arriving, body.body, delimited=arriving.delimited)
        problem = "answer_too_long" if len(body.body) >= LONGEST_BODY else "answer_broken"
        return NoAnswer(sent=True, problem=problem, part=self._part(arriving))

    def _part(self, arriving: Arriving | None) -> Answer | None:
        """What had come when the answer broke off; None if nothing of its body had."""
        if arriving is None or not arriving.body:
            return None
        return self._answer(arriving, _unpacked(arriving).body, delimited=False)

    def _answer(self, arriving: Arriving, body: bytes, *, delimited: bool) -> Answer:
        return Answer(arriving.status, arriving.headers, body, self._clock(), delimited)


def _unpacked(arriving: Arriving) -> Unpacked:
    return unpacked(bytes(arriving.body), arriving.headers.get("Content-Encoding", ""), LONGEST_BODY)


def _problem(error: Exception, *, begun: bool) -> str:
    """Why there is no answer, or no more of one whose head has come."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if begun:
        return "answer_broken"
    return network_faults.TLS_FAULT if isinstance(error, ssl.SSLError) else "no_answer"
