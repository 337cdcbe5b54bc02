"""Two applications at one provider: each a sandbox of its own, behind one address."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import requests

from migrator.sandbox import Sandbox
from tests.http_server import Quiet, listening

Owner = tuple[str, Sandbox]
"""A client id, and the sandbox that knows it."""


@contextmanager
def one_address(owners: Sequence[Owner]) -> Iterator[str]:
    """Serve all under one URL: a call goes where its client is known, and a bearer where its token is."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kind, _, value = self.headers.get("Authorization", "").partition(" ")
            client = base64.b64decode(value).decode().partition(":")[0] if kind == "Basic" else ""
            asked = [sandbox for name, sandbox in owners if client in ("", name)] or [owners[0][1]]
            for sandbox in asked:
                answer = requests.post(
                    sandbox.base_url + self.path, body, headers=dict(self.headers), timeout=20
                )
                if answer.status_code != 401:
                    break
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

    with listening(Handler) as url:
        yield url
