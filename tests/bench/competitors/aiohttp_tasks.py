"""The strong engineer's: asyncio and aiohttp, a signature of one's own, a commit a swap."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import sqlite3
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

import aiohttp

from tests.bench.competitors.task import STORE, TIMEOUT, Application, Row, Task, values


async def main() -> None:
    """Swap everything."""
    task = Task.of_command_line()
    connector = aiohttp.TCPConnector(limit=task.at_once)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    with closing(task.open_pairs()) as db:
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            rows = task.rows()
            permits = Permits(task.rate) if task.rate else None
            await asyncio.gather(*(work(task, session, db, rows, permits) for _ in range(task.at_once)))


class Permits:
    """At most so many calls in any second."""

    def __init__(self, rate: int) -> None:
        self._left = asyncio.Semaphore(rate)

    async def take(self) -> None:
        """Wait for one; it comes back after a second."""
        await self._left.acquire()
        asyncio.get_running_loop().call_later(1.0, self._left.release)


async def work(
    task: Task,
    session: aiohttp.ClientSession,
    db: sqlite3.Connection,
    rows: Iterator[Row],
    permits: Permits | None,
) -> None:
    """Take row after row, until there are none."""
    for row in rows:
        pair = await swap(task, session, row, permits)
        with db:
            db.execute(STORE, pair)


async def swap(
    task: Task, session: aiohttp.ClientSession, row: Row, permits: Permits | None
) -> tuple[str, ...]:
    """What one token is worth."""
    query = {"tenantType": row["tenant_type"]}
    while True:
        if permits is not None:
            await permits.take()
        headers = {"Authorization": authorization(task.application, task.endpoint, row, query)}
        async with session.post(
            task.endpoint, params=query, json=task.application.body, headers=headers
        ) as answer:
            if answer.status == 429:
                await asyncio.sleep(float(answer.headers["Retry-After"]))
                continue
            answer.raise_for_status()
            return values(row, await answer.json())


def authorization(application: Application, url: str, row: Row, query: dict[str, str]) -> str:
    """The header of a signed request (RFC 5849, HMAC-SHA1)."""
    oauth = {
        "oauth_consumer_key": application.consumer_key,
        "oauth_nonce": secrets.token_hex(16),
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(time.time())),
        "oauth_token": row["oauth_token"],
        "oauth_version": "1.0",
    }
    parameters = sorted((escaped(name), escaped(value)) for name, value in (oauth | query).items())
    normalised = "&".join(f"{name}={value}" for name, value in parameters)
    base = "&".join(("POST", escaped(url), escaped(normalised)))
    key = f"{escaped(application.consumer_secret)}&{escaped(row['oauth_token_secret'])}"
    signature = b64encode(hmac.digest(key.encode(), base.encode(), "sha1")).decode()
    fields = {**oauth, "oauth_signature": signature}
    return "OAuth " + ", ".join(f'{name}="{escaped(value)}"' for name, value in fields.items())


def escaped(text: str) -> str:
    """As RFC 5849, 3.6, wants it."""
    return quote(text, safe="~")


if __name__ == "__main__":
    asyncio.run(main())
