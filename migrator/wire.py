"""The only module that speaks HTTP: sends a provider's request, returns what came back, judges nothing.

TLS is always verified and redirects are never followed: both would hand credentials to a stranger. The way
out is the ``Network``'s: without a setting, the environment's proxies are not looked at, and ``.netrc`` never
is. Nothing is retried here: only the ledger knows what may be sent again.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

from migrator import __version__, code_grant, faults
from migrator.models import Clock, Credentials, Secret
from migrator.network import DIRECT, Network
from migrator.outward import (
    NotConnectedError,
    OutwardAdapter,
    OutwardConnection,
    OutwardTlsConnection,
    fault_before,
)
from migrator.providers import Answer, Basic, Bearer, Code, NoAnswer, Request, Signed
from migrator.signing import sign

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
    """The real one: requests prepares what is sent, one adapter keeps the connection alive."""

    def __init__(
        self, credentials: Credentials, *, timeout: float, clock: Clock, network: Network = DIRECT
    ) -> None:
        """``timeout`` is how long an answer may take, in seconds."""
        self._credentials = credentials
        self._timeout = timeout
        self._clock = clock
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = f"oauth-migrator/{__version__}"
        self._session.headers["Accept"] = "application/json"
        self._adapter = _Adapter(network)

    def send(self, request: Request) -> Answer | NoAnswer:
        prepared = self._prepare(request)
        try:
            with self._adapter.given(longest_call(self._timeout)):
                # Not through the session: it would read where a redirect leads, and keep cookies.
                response = self._adapter.send(
                    prepared,
                    stream=True,
                    timeout=(min(_LONGEST_CONNECT, self._timeout), self._timeout),
                    verify=True,
                    proxies=self._adapter.proxies(request.url),
                )
                with response:
                    body = _read(response)
            if self._adapter.late:  # what was cut off may look like an answer
                return NoAnswer(sent=True, problem="timeout")
            if body is None:
                return NoAnswer(sent=True, problem="answer_too_long")
            delimited = "Content-Length" in response.headers or response.raw.chunked
            return Answer(response.status_code, response.headers, body, self._clock(), delimited)
        except requests.RequestException as error:
            return _no_answer(error)
        except (HTTPError, ValueError, OSError):  # what a broken answer, or a connection cut off, can raise
            return NoAnswer(sent=True, problem="answer_broken")

    def close(self) -> None:
        self._session.close()
        self._adapter.close()

    def _prepare(self, request: Request) -> requests.PreparedRequest:
        if isinstance(request.auth, Code):
            return self._session.prepare_request(code_grant.prepared(request.url, request.auth))
        return self._session.prepare_request(
            requests.Request(
                request.method,
                request.url,
                json=_reveal(request.json) if request.json is not None else None,
                data=_reveal(request.form) if request.form is not None else None,
                auth=self._auth(request.auth),
            )
        )

    def _auth(self, auth: Signed | Bearer | Basic) -> AuthBase:
        match auth:
            case Signed():
                return sign(auth, self._credentials, self._clock())
            case Bearer():
                return _BearerAuth(auth.access_token)
            case Basic():
                # As bytes: requests would encode a text as Latin-1, which not every secret is.
                names = auth.credentials.client_id, auth.credentials.client_secret.reveal()
                return HTTPBasicAuth(*(name.encode() for name in names))


class _BearerAuth(AuthBase):
    def __init__(self, access_token: Secret) -> None:
        self._access_token = access_token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._access_token.reveal()}"
        return request


def _reveal(fields: Mapping[str, str | Secret]) -> dict[str, str]:
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in fields.items()}


def _read(response: requests.Response) -> bytes | None:
    """The body, or None if it is longer than any that could be meant."""
    body = bytearray()
    while chunk := response.raw.read1(64 * 1024, decode_content=True):
        body += chunk
        if len(body) > LONGEST_BODY:
            return None
    return bytes(body)


class _Adapter(OutwardAdapter):
    """Cuts a call off when its time is over, wherever it hangs: a time-out begins anew with each byte."""

    def __init__(self, network: Network) -> None:
        self._sockets: list[socket.socket] = []
        self._opening: list[socket.socket] = []
        self._late = threading.Event()
        super().__init__(network)

    def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:
        super().init_poolmanager(*arguments, **keywords)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _pool(HTTPConnectionPool, OutwardConnection, self),
            "https": _pool(HTTPSConnectionPool, OutwardTlsConnection, self),
        }

    @property
    def late(self) -> bool:
        """Whether the call was cut off."""
        return self._late.is_set()

    @contextmanager
    def given(self, seconds: float) -> Iterator[None]:
        """What is sent within this block ends after so many seconds, one way or another."""
        self._late.clear()
        timer = threading.Timer(seconds, self._cut_off)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """A connection comes about within this block, or does not."""
        try:
            yield
        except NotConnectedError:
            self.in_time()  # one that was cut off may look like anything
            raise
        finally:
            while self._opening:
                self._opening.pop().close()

    def in_time(self) -> None:
        """Raises ``NotConnectedError`` if connecting took longer than the whole call may."""
        if self._late.is_set():
            raise NotConnectedError(faults.CONNECT_TIMEOUT)

    def opened(self, new: socket.socket) -> None:
        """TCP has come about: what follows, a proxy's answer or TLS, can hang just as an answer can."""
        self._opening.append(new.dup())  # TLS takes the socket itself away
        if self._late.is_set():
            new.close()
        self.in_time()

    def connected(self, connection: HTTPConnection) -> None:
        """All of it has come about."""
        self.in_time()
        # TLS within TLS, as with a proxy that is itself spoken to in TLS, has the socket inside.
        self._sockets[:] = [getattr(connection.sock, "socket", connection.sock)]

    def _cut_off(self) -> None:
        self._late.set()
        for open_socket in (*self._sockets, *self._opening):
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)


def _pool(
    pool: type[HTTPConnectionPool], base: type[HTTPConnection], adapter: _Adapter
) -> type[HTTPConnectionPool]:
    """A urllib3 pool whose connections tell the adapter how they come about."""

    def connect(self: HTTPConnection) -> None:
        with adapter.connecting():
            base.connect(self)
        adapter.connected(self)

    def new_connection(self: HTTPConnection) -> socket.socket:
        new = base._new_conn(self)  # noqa: SLF001 - urllib3's own place for it
        adapter.opened(new)
        return new

    def tunnel(self: HTTPConnection) -> None:
        base._tunnel(self)  # noqa: SLF001 - as above
        adapter.in_time()  # a proxy's answer that was cut off looks whole

    told = {"connect": connect, "_new_conn": new_connection, "_tunnel": tunnel}
    connection = type(f"Told{base.__name__}", (base,), told)
    return type(f"Told{pool.__name__}", (pool,), {"ConnectionCls": connection})


def _no_answer(error: requests.RequestException) -> NoAnswer:
    """Whether anything can have reached the provider.

    That decides whether the call may have had an effect.
    """
    before = fault_before(error)
    if before is not None:
        return NoAnswer(sent=False, problem=before)
    if isinstance(error, requests.exceptions.SSLError):
        return NoAnswer(sent=True, problem=faults.TLS_FAULT)
    if isinstance(error, requests.exceptions.Timeout):
        return NoAnswer(sent=True, problem="timeout")
    return NoAnswer(sent=True, problem="no_answer")
