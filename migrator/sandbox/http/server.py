"""Serves a WSGI application over HTTP: kept-alive connections, many threads, and a way to hang up."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cheroot.wsgi import Gateway_10, Server

from migrator.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from socket import socket
    from wsgiref.types import WSGIApplication

HANG_UP = "sandbox.hang_up"
"""Set in a request's environ, it closes the connection without a byte of the answer."""

THREADS = 64
"""Calls under way at once; further ones wait."""
IDLE_SECONDS = 60
"""How long an idle connection is kept."""


class _Gateway(Gateway_10):
    """Cheroot's, which can also hang up, and knows ``Connection: Close`` in any spelling."""

    def respond(self) -> None:
        """Answer one request."""
        options = self.req.inheaders.get(b"Connection", b"").lower().split(b",")
        if b"close" in [option.strip() for option in options]:
            self.req.close_connection = True
        response = self.req.server.wsgi_app(self.env, self.start_response)
        body = b"".join(response)
        if self.req.chunked_read:
            self._finish_chunks()
        if self.env.get(HANG_UP):
            self.req.close_connection = True
            self.req.sent_headers = True  # cheroot takes them for sent, and sends none
        else:
            self.write(body)

    def _finish_chunks(self) -> None:
        """Leave nothing of a chunked request that would be taken for the beginning of the next one."""
        if self.req.rfile.closed:
            deque(self.req.rfile.read_trailer_lines(), maxlen=0)
        else:
            self.req.close_connection = True


class _Server(Server):
    """Cheroot's, with room for many idle connections and a quick stop."""

    keep_alive_conn_limit = 1024
    expiration_interval = 0.02  # also how long a stop takes

    @staticmethod
    def bind_socket(socket_: socket, bind_addr: tuple[str, int]) -> socket:
        """Bind, and unlike cheroot leave no open socket behind where that fails."""
        try:
            socket_.bind(bind_addr)
        except OSError:
            socket_.close()
            raise
        return socket_


@contextmanager
def serving(app: WSGIApplication, host: str, port: int) -> Iterator[int]:
    """Serve ``app`` in background threads until the context ends; gives the port.

    Port 0 takes any free one. Raises ``SandboxError`` where it cannot listen.
    """
    server = _Server(
        (host, port),
        app,
        numthreads=THREADS,
        request_queue_size=128,
        timeout=IDLE_SECONDS,
        shutdown_timeout=5,
    )
    server.gateway = _Gateway
    try:
        server.prepare()
    except OSError as error:
        raise SandboxError(
            f"cannot listen on {host} port {port} ({error.strerror or error}); choose another with --port"
        ) from error
    thread = threading.Thread(target=server.serve, name="sandbox-server", daemon=True)
    thread.start()
    try:
        yield server.bind_addr[1]
    finally:
        server.stop()
        thread.join()
