"""Two applications at one provider: each a sandbox of its own, behind one address."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

from migrator.sandbox import Sandbox

Owner = tuple[str, Sandbox]
"""A client id, and the sandbox that knows it."""


@contextmanager
def one_address(owners: Sequence[Owner]) -> Iterator[str]:
    """Serve all under one URL: a call goes where its client is known, and a bearer where its token is."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

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

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
