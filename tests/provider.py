"""A provider that misbehaves as a test wants: answers come from a function, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.http_server import Quiet, listening

Reply = tuple[int, dict[str, str], bytes] | None
"""Status, headers and body; None closes the connection without an answer."""


@dataclass
class Calls:
    """What arrived, in order."""

    paths: list[str] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    user_agents: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, path: str) -> int:
        """How many calls a path got so far."""
        with self.lock:
            return sum(1 for arrived in self.paths if arrived.startswith(path))


def of_json(status: int, document: Any, **headers: str) -> Reply:
    """A JSON answer."""
    return status, {"Content-Type": "application/json", **headers}, json.dumps(document).encode()


def pair(number: int, tenant: str = "") -> Reply:
    """A whole pair."""
    return of_json(
        200,
        {
            "access_token": f"access-{number}",
            "refresh_token": f"refresh-{number}",
            "expires_in": "1800",
            "token_type": "Bearer",
            "xero_tenant_id": tenant,
        },
    )


SIGNATURE_INVALID: Reply = (401, {"Content-Type": "text/html"}, b"oauth_problem=signature_invalid")


@contextmanager
def misbehaving(answer: Callable[[str, Calls], Reply]) -> Iterator[tuple[str, Calls]]:
    """Serve ``answer``, which is given the path and all calls so far, this one among them; yields the URL."""
    calls = Calls()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.partition("?")[0]
            with calls.lock:
                calls.paths.append(path)
                calls.authorizations.append(self.headers.get("Authorization", ""))
                calls.user_agents.append(self.headers.get("User-Agent", ""))
            reply = answer(path, calls)
            if reply is None:
                self.close_connection = True
                return
            status, headers, body = reply
            self.send_response(status)
            # An answer that ends with its connection announces no length.
            length = {} if "Connection" in headers else {"Content-Length": str(len(body))}
            for name, value in {**headers, **length}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815

    with listening(Handler) as url:
        yield url, calls
