"""The sandbox behind something that changes its answers: real calls, really witnessed, in another form."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import requests

from tests.http_server import Quiet, listening

Mangle = Callable[[str, int, bytes], tuple[int, bytes]]
"""Path, status and body go in; status and body come out."""


class Cut(bytes):
    """A body of which more was announced: the connection breaks off behind it."""


class Labelled(bytes):
    """A body with headers of its own."""

    headers: Mapping[str, str]

    @classmethod
    def of(cls, body: bytes, **headers: str) -> Labelled:
        labelled = cls(body)
        labelled.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return labelled


_HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "content-encoding", "keep-alive"}


@contextmanager
def mangled(base_url: str, mangle: Mangle) -> Iterator[str]:
    """Pass calls on to ``base_url`` and their answers back through ``mangle``, one at a time; yields the URL.

    The ``Host`` is kept, so that signatures stay right.
    """
    session = requests.Session()
    session.trust_env = False
    lock = threading.Lock()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                answer = session.request(
                    self.command,
                    f"{base_url}{self.path}",
                    headers=dict(self.headers.items()),
                    data=sent,
                    allow_redirects=False,
                    timeout=30,
                )
                status, body = mangle(self.path.partition("?")[0], answer.status_code, answer.content)
            self.send_response(status)
            own = body.headers if isinstance(body, Labelled) else {}
            kept = {
                name: value
                for name, value in answer.headers.items()
                if name.lower() not in _HOP_BY_HOP | {name.lower() for name in own}
            }
            for name, value in (kept | dict(own)).items():
                self.send_header(name, value)
            missing = 1_000 if isinstance(body, Cut) else 0
            self.send_header("Content-Length", str(len(body) + missing))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = bool(missing)

        do_GET = do_POST  # noqa: N815

    with session, listening(Handler) as url:
        yield url
