"""The way out as companies have it: a real CONNECT proxy, and a provider behind TLS of an own authority."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
from proxy.http.exception import HttpRequestRejected
from proxy.http.parser import HttpParser
from proxy.http.proxy import HttpProxyBasePlugin

PROVIDER = "provider.example"
"""A name that only the proxy knows."""
USER, PASSWORD = "alice", "pä:s s@w/ord%"
"""Whom the proxy lets through, if it asks."""

_LOG = "TESTS_PROXY_LOG"
_PATIENCE = 30.0
_REFUSED = {
    "forbidden.example": (403, b"Forbidden"),
    "unreachable.example": (502, b"Bad Gateway"),
    "later.example": (503, b"Service Unavailable"),
}


def forget_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take everything out of the environment that says a way: the machine's own may."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Resolver(HttpProxyBasePlugin):
    """Runs within the proxy: knows the provider's name, writes down who is asked for, refuses some."""

    def resolve_dns(self, host: str, port: int) -> tuple[str | None, None]:  # noqa: ARG002
        return ("127.0.0.1" if host == PROVIDER else None), None

    def before_upstream_connection(self, request: HttpParser) -> HttpParser:
        host = (request.host or b"").decode()
        with Path(os.environ[_LOG]).open("a", encoding="utf-8") as log:
            log.write(f"{(request.method or b'').decode()} {host}\n")
        if host in _REFUSED:
            status, reason = _REFUSED[host]
            raise HttpRequestRejected(status_code=status, reason=reason)
        return request


@dataclass(frozen=True)
class Proxy:
    """A proxy that is running."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self) -> list[str]:
        """Method and host of every request that it did not turn away for who asked."""
        return self.log.read_text("utf-8").splitlines() if self.log.exists() else []


@contextmanager
def proxying(folder: Path, *, demands: bool = False, certificate: Path | None = None) -> Iterator[Proxy]:
    """Run one in a process of its own.

    ``demands`` a user and a password; with a ``certificate`` (and its key) it is itself spoken to in TLS.
    """
    port_file, log = folder / "port", folder / "asked"
    options = ["--hostname", "127.0.0.1", "--port", "0", "--port-file", str(port_file)]
    options += [
        "--num-acceptors",
        "1",
        "--num-workers",
        "1",
        "--log-level",
        "ERROR",
        "--data-dir",
        str(folder),
    ]
    options += ["--plugins", f"{__name__}.{Resolver.__name__}"]
    if demands:
        options += ["--basic-auth", f"{USER}:{PASSWORD}"]
    if certificate:
        options += ["--cert-file", str(certificate), "--key-file", str(certificate)]
    with subprocess.Popen(
        [sys.executable, "-m", "proxy", *options],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), _LOG: str(log)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield Proxy(_port(process, port_file), log)
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def _port(process: subprocess.Popen[bytes], port_file: Path) -> int:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        text = port_file.read_text("utf-8").strip() if port_file.exists() else ""
        if text:
            return int(text.splitlines()[0])
        time.sleep(0.02)
    raise AssertionError(f"the proxy does not run: {process.poll()}")


@dataclass
class Terminator:
    """Speaks TLS in the place of a server on this machine that does not."""

    port: int
    requests: list[str] = field(default_factory=list)
    """Method and path of all that arrived."""

    @property
    def url(self) -> str:
        return f"https://{PROVIDER}:{self.port}"


@contextmanager
def terminating(target: str, certificate: trustme.LeafCert) -> Iterator[Terminator]:
    """In front of ``target``: keeps ``Host``, says that it was https."""
    _, _, address = target.rpartition("/")
    arrived: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            arrived.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection = http.client.HTTPConnection(address, timeout=10)
            connection.request(self.command, self.path, body, {**self.headers, "X-Forwarded-Proto": "https"})
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that does not like the certificate is no error."""

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    # Handshakes in the handlers' threads: one that does not come about must hold up no other.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Terminator(server.server_address[1], arrived)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def answering(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """Something that listens where a proxy should; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    behave(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
