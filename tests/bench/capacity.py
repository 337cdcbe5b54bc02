"""What the stub can do alone: asked by a client that costs next to nothing either."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.bench.serving import Stub

REQUEST = (
    b"POST /oauth/migrate?tenantType=ORGANISATION HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: OAuth "
    b'oauth_token="T%029d", oauth_consumer_key="k", oauth_signature_method="HMAC-SHA1", '
    b'oauth_signature="AAAAAAAAAAAAAAAAAAAAAAAAAAA%%3D"\r\nContent-Length: 2\r\n\r\n{}'
)


@dataclass(frozen=True)
class Capacity:
    """What it can do."""

    per_second: float
    per_processor_second: float
    """Of the stub's own; what it could do with a processor for itself."""


class _Asker(asyncio.Protocol):
    """Asks again once it has its answer, until all together have asked enough."""

    def __init__(self, numbers: list[int], done: asyncio.Event) -> None:
        self._numbers = numbers
        self._done = done
        self._arrived = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        if self._arrived.endswith(b"}"):
            self._arrived = b""
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - its name there
        self._done.set()

    def _ask(self) -> None:
        if self._numbers:
            self._transport.write(REQUEST % self._numbers.pop())
        else:
            self._transport.close()


async def _ask_all(host: str, port: int, number: int, at_once: int) -> None:
    loop = asyncio.get_running_loop()
    numbers = list(range(number))
    ends = [asyncio.Event() for _ in range(at_once)]
    for end in ends:
        await loop.create_connection(lambda end=end: _Asker(numbers, end), host, port)  # type: ignore[misc]
    await asyncio.gather(*(end.wait() for end in ends))


def capacity(stub: Stub, number: int = 20_000, at_once: int = 32) -> Capacity:
    """Ask for so many pairs; the stub must have neither latency nor limit, and speak plain HTTP."""
    address = urlsplit(stub.url)
    assert address.hostname
    assert address.port
    before = stub.witnessed(anew=True)
    began = time.perf_counter()
    asyncio.run(_ask_all(address.hostname, address.port, number, at_once))
    took = time.perf_counter() - began
    after = stub.witnessed()
    return Capacity(after.pairs / took, after.pairs / (after.processor - before.processor))
