"""The only module that speaks HTTP: sends a provider's request, returns what came back, judges nothing.

TLS is always verified and redirects are never followed: both would hand credentials to a stranger. The way
out is the ``Network``'s: without a setting, the environment's proxies are not looked at, and ``.netrc`` never
is. Nothing is retried here: only the ledger knows what may be sent again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.exceptions import HTTPError, ReadTimeoutError

from migrator import __version__
from migrator.models import Clock, Secret
from migrator.providers import (
    UNSENDABLE,
    Answer,
    ApplicationBearer,
    Authentication,
    Basic,
    Bearer,
    NoAnswer,
    Request,
    Signed,
    Unauthenticated,
    network_faults,
)
from migrator.wire.http_connections import fault_before
from migrator.wire.network import DIRECT, Network
from migrator.wire.running_time import RunningClock
from migrator.wire.signing import sign
from migrator.wire.timed_adapter import TimedAdapter
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
    """The real one: requests prepares what is sent, one adapter keeps the connection alive."""

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
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = f"oauth-migrator/{__version__}"
        self._session.headers["Accept"] = "application/json"
        # Answers are short, and one that breaks off is worth more plain.
        self._session.headers["Accept-Encoding"] = "identity"
        self._adapter = TimedAdapter(running, clock, network)

    def send(self, request: Request) -> Answer | NoAnswer:
        auth = self._auth(request.auth)
        try:
            prepared = self._prepare(request, auth)
        except (requests.RequestException, ValueError):  # its text may show what cannot be sent
            return NoAnswer(sent=False, problem=UNSENDABLE)
        self._adapter.begin(longest_call(self._timeout))
        arrived = _Arrived(self._clock)
        try:
            # Not through the session: it would read where a redirect leads, and keep cookies.
            response = self._adapter.send(
                prepared,
                stream=True,
                timeout=(min(_LONGEST_CONNECT, self._timeout), self._timeout),
                verify=True,
                proxies=self._adapter.proxies(str(prepared.url)),
            )
            with response:
                return arrived.read(response)
        except requests.RequestException as error:
            return _no_answer(error)
        except ReadTimeoutError:  # in the middle of an answer
            return NoAnswer(sent=True, problem="timeout", part=arrived.part())
        except (HTTPError, ValueError, OSError):  # what a broken answer, or a connection cut off, can raise
            return NoAnswer(sent=True, problem="answer_broken", part=arrived.part())
        finally:
            self._adapter.end()

    def close(self) -> None:
        self._session.close()
        self._adapter.close()

    def _prepare(self, request: Request, auth: AuthBase | None) -> requests.PreparedRequest:
        # In UTF-8: of a text, what is not Latin-1 would only fail once the call is under way.
        headers = {
            name: text if text.isascii() else text.encode() for name, text in _reveal(request.headers).items()
        }
        if request.body:
            data: dict[str, str] | bytes | None = _revealed(request.body).encode()
        else:
            data = _reveal(request.form) if request.form is not None else None
        return self._session.prepare_request(
            requests.Request(
                request.method,
                _revealed(request.url),
                headers=headers,
                json=_reveal(request.json) if request.json is not None else None,
                data=data,
                auth=auth,
            )
        )

    def _auth(self, auth: Authentication) -> AuthBase | None:
        match auth:
            case Signed():
                return sign(auth, self._clock())
            case Bearer():
                return _BearerAuth(auth.access_token)
            case Basic():
                # As bytes: requests would encode a text as Latin-1, which not every secret is.
                names = auth.credentials.client_id, auth.credentials.client_secret.reveal()
                return HTTPBasicAuth(*(name.encode() for name in names))
            case ApplicationBearer():
                raise ValueError("the application's own access token was not fetched")
            case Unauthenticated():
                return None


class _BearerAuth(AuthBase):
    def __init__(self, access_token: Secret) -> None:
        self._access_token = access_token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._access_token.reveal()}"
        return request


def _reveal(fields: Mapping[str, str | Secret]) -> dict[str, str]:
    return {name: _revealed(value) for name, value in fields.items()}


def _revealed(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


class _Arrived:
    """What has arrived of an answer: if it breaks off, what was asked for may stand in it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._response: requests.Response | None = None
        self._packed = bytearray()

    def read(self, response: requests.Response) -> Answer | NoAnswer:
        """The answer; only a part if it is longer than any that could be meant, or packed and not whole.

        Raises what a broken answer does, and keeps what came before.
        """
        self._response = response
        while chunk := response.raw.read1(64 * 1024, decode_content=False):
            self._packed += chunk
            if len(self._packed) > LONGEST_BODY:
                return NoAnswer(sent=True, problem="answer_too_long", part=self.part())
        body = self._unpacked(response)
        if body.whole:
            delimited = "Content-Length" in response.headers or response.raw.chunked
            return self._answer(response, body.body, delimited=delimited)
        problem = "answer_too_long" if len(body.body) >= LONGEST_BODY else "answer_broken"
        return NoAnswer(sent=True, problem=problem, part=self.part())

    def part(self) -> Answer | None:
        """What had come when the answer broke off; None if nothing of its body had."""
        if self._response is None or not self._packed:
            return None
        return self._answer(self._response, self._unpacked(self._response).body, delimited=False)

    def _unpacked(self, response: requests.Response) -> Unpacked:
        return unpacked(bytes(self._packed), response.headers.get("Content-Encoding", ""), LONGEST_BODY)

    def _answer(self, response: requests.Response, body: bytes, *, delimited: bool) -> Answer:
        return Answer(response.status_code, response.headers, body, self._clock(), delimited)


def _no_answer(error: requests.RequestException) -> NoAnswer:
    """Whether anything can have reached the provider.

    That decides whether the call may have had an effect.
    """
    before = fault_before(error)
    if before is not None:
        return NoAnswer(sent=False, problem=before)
    if isinstance(error, requests.exceptions.InvalidURL):
        return NoAnswer(sent=False, problem=UNSENDABLE)
    if isinstance(error, requests.exceptions.SSLError):
        return NoAnswer(sent=True, problem=network_faults.TLS_FAULT)
    if isinstance(error, requests.exceptions.Timeout):
        return NoAnswer(sent=True, problem="timeout")
    return NoAnswer(sent=True, problem="no_answer")
