"""A provider that costs next to nothing: it answers Xero's swap with a pair, from bytes made beforehand.

``python -m tests.bench.stub [--latency SECONDS] [--limit N [--burst N]] [--certificate PEM]`` prints its URL
and serves until it is ended. It checks neither signatures nor bodies: the sandbox does, and every client of
the bench is tried on that. ``GET /_stub`` says what it has answered so far, ``GET /_stub/anew`` the same for
the last time: it counts anew, but for the limit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import sys
import time
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass
from itertools import count
from typing import Protocol

from migrator.sandbox.http.limits import Limit, Permit, SlidingWindow
from tests.bench.bucket import Bucket

SWAP = b"POST /oauth/migrate"
WITNESSED = b"GET /_stub "
ANEW = b"GET /_stub/anew "
MINUTE = 60.0

_HEADER = urlsafe_b64encode(b'{"alg":"RS256","kid":"1CAF8E66772D6DC028D6726FD0261581570EFC19","typ":"JWT"}')
_CLAIMS = (
    b'{"nbf":1795000000,"exp":1795001800,"iss":"https://identity.xero.com","aud":'
    b'"https://identity.xero.com/resources","client_id":"91E5715B1199038080D6D0296EBC1648","sub":"%b",'
    b'"auth_time":1795000000,"xero_userid":"%b","global_session_id":"0b6a5bd1a3a54a0ea5c1c0b0a5a3a54a","jti":'
    b'"%b","authentication_event_id":"c2f7e2c9-4f0a-4d0f-8f0e-0a5a3a54a0ea","scope":["offline_access",'
    b'"accounting.transactions"]}'
)
_SIGNATURE = b"A" * 342
"""As long as one of RS256: a real token has a thousand characters, and so do ours."""
_PAIR = (
    b'{"access_token":"%b","refresh_token":"%b","expires_in":"1800","token_type":"Bearer",'
    b'"xero_tenant_id":"%b"}'
)
_REFUSED = b'{"Title":"Too many requests","Status":429}'
_ANSWER = b"HTTP/1.1 %b\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n%b\r\n%b"


class RateLimit(Protocol):
    """Lets calls pass, or not."""

    def acquire(self, now: float) -> Permit:
        """Count a call that comes at ``now``, in seconds."""


@dataclass
class Witnessed:
    """What arrived."""

    pairs: int = 0
    refused: int = 0
    """Calls over the limit."""
    first: float = 0.0
    """When the first pair was given, in seconds of a clock of its own."""
    last: float = 0.0
    """When the last one was."""
    at_once: int = 0
    """The most calls that were under way together."""
    connections: int = 0
    """How many were opened."""
    processor: float = 0.0
    """Seconds that this process has used."""


class Provider:
    """What all connections have in common."""

    def __init__(self, latency: float, limit: RateLimit | None) -> None:
        self.latency = latency
        self.under_way = 0
        self.witnessed = Witnessed()
        self._limit = limit
        self._numbers = count(1)

    def answer(self, head: bytes) -> bytes:
        """The answer to a request, from its request line and header fields."""
        if head.startswith(SWAP):
            now = time.monotonic()
            permit = self._limit.acquire(now) if self._limit else None
            return self._refusal(permit) if permit and not permit.granted else self._pair(head, permit, now)
        if head.startswith((WITNESSED, ANEW)):
            self.witnessed.processor = time.process_time()
            document = json.dumps(asdict(self.witnessed)).encode()
            if head.startswith(ANEW):
                self.witnessed = Witnessed()
            return _written(b"200 OK", document)
        return _written(b"404 Not Found", b"{}")

    def _pair(self, head: bytes, permit: Permit | None, now: float) -> bytes:
        witnessed = self.witnessed
        witnessed.pairs += 1
        witnessed.first = witnessed.first or now
        witnessed.last = now
        remaining = b"" if permit is None else b"X-AppMinLimit-Remaining: %d\r\n" % permit.remaining
        return _written(b"200 OK", pair(_token(head), next(self._numbers)), remaining)

    def _refusal(self, permit: Permit) -> bytes:
        self.witnessed.refused += 1
        headers = b"Retry-After: %d\r\nX-Rate-Limit-Problem: appminute\r\nX-AppMinLimit-Remaining: 0\r\n"
        return _written(b"429 Too Many Requests", _REFUSED, headers % permit.retry_after)


class Connection(asyncio.Protocol):
    """One connection, kept open: reads request after request, and answers each in its turn."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._unread = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._provider.witnessed.connections += 1

    def data_received(self, data: bytes) -> None:
        unread = self._unread + data if self._unread else data
        while (end := unread.find(b"\r\n\r\n")) >= 0:
            head = unread[:end]
            length = end + 4 + _content_length(head)
            if len(unread) < length:
                break
            unread = unread[length:]
            self._begin(head)
        self._unread = unread

    def _begin(self, head: bytes) -> None:
        provider = self._provider
        provider.under_way += 1
        provider.witnessed.at_once = max(provider.witnessed.at_once, provider.under_way)
        answer = provider.answer(head)
        if provider.latency and head.startswith(SWAP):
            asyncio.get_running_loop().call_later(provider.latency, self._end, answer)
        else:
            self._end(answer)

    def _end(self, answer: bytes) -> None:
        self._provider.under_way -= 1
        self._transport.write(answer)


def pair(token: bytes, number: int) -> bytes:
    """The pair of a swap: no two are alike, and each says whose token it was won with."""
    user = b"00000000-0000-4000-9000-%012d" % number
    claims = _CLAIMS % (user, user, b"%032x" % number)
    access = b".".join((_HEADER, urlsafe_b64encode(claims).rstrip(b"="), _SIGNATURE))
    return _PAIR % (access, b"%b-%d" % (token, number), tenant(token))


def tenant(token: bytes) -> bytes:
    """The tenant that the token is of: the digits that the token ends with say which."""
    return b"00000000-0000-4000-8000-" + token[-12:].rjust(12, b"0")


def _token(head: bytes) -> bytes:
    _, _, after = head.partition(b'oauth_token="')
    return after[: after.find(b'"')]


def _content_length(head: bytes) -> int:
    _, _, after = head.lower().partition(b"\r\ncontent-length:")
    return int(after.partition(b"\r\n")[0] or 0)


def _written(status: bytes, body: bytes, headers: bytes = b"") -> bytes:
    return _ANSWER % (status, len(body), headers, body)


async def serve(provider: Provider, port: int, certificate: str | None) -> None:
    """Serve on this machine until the process is ended; says where, once it listens."""
    tls = None
    if certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(provider), "127.0.0.1", port, ssl=tls, backlog=1_024)
    (listening, *_) = server.sockets
    print(f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


def main() -> int:
    """Serve what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.stub", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: one that is free")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="before each answer")
    parser.add_argument("--limit", type=int, metavar="N", help="pairs a minute")
    parser.add_argument(
        "--burst", type=int, metavar="N", help="the limit is a bucket that holds so many, not a window"
    )
    parser.add_argument("--certificate", metavar="PEM", help="key and certificate, to speak TLS")
    options = parser.parse_args()
    limit: RateLimit | None = None
    if options.limit and options.burst:
        limit = Bucket(options.burst, options.limit / MINUTE)
    elif options.limit:
        limit = SlidingWindow(Limit(options.limit, MINUTE))
    try:
        asyncio.run(serve(Provider(options.latency, limit), options.port, options.certificate))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
