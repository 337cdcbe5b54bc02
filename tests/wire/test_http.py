"""The wire against real sockets: what arrives is what was asked for, and whatever a server does comes back as
an answer or as none.
"""

from __future__ import annotations

import base64
import gzip
import json
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util.wait import wait_for_read

from migrator.models import Credentials, LegacyToken, Secret
from migrator.providers import Answer, Basic, Bearer, NoAnswer, Request, Signed
from migrator.wire.http import LONGEST_BODY, HttpWire, longest_call
from migrator.wire.unpacking import Unpacked, unpacked
from tests.ports import free_port

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CREDENTIALS = Credentials("ck", "HMAC-SHA1", Secret("cs"), Secret(""), "id", Secret("p:w"), ())
LEGACY = LegacyToken(Secret("tok"), Secret("ts"))
BEARER = Bearer(Secret("access"))

SHORT = 0.3
"""Seconds for what never comes."""
AMPLE = 30.0
"""Seconds for what does come, on a machine however busy."""


@dataclass
class Seen:
    """A request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes


Behaviour = Callable[[socket.socket], None]


@dataclass
class Server:
    """Takes one connection after the other, reads requests and does with each what it is told."""

    behaviours: list[Behaviour]
    """One for each request; the last one for all further ones."""
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    context: ssl.SSLContext | None = None
    interrupts: bool = False
    """Whether it speaks before it has heard anything."""

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http{'s' if self.context else ''}://127.0.0.1:{self.port}"
        self._current: socket.socket | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        for one in (self._current, self._listener):
            with suppress(OSError, AttributeError):  # it may be closed, or there may be none
                one.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._current = connection
            with connection, suppress(OSError):  # the client went away, or does not like our certificate
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        if self.interrupts:
            self.behaviours[0](connection)
            return
        if self.context:
            connection = self._current = self.context.wrap_socket(connection, server_side=True)
        with connection, connection.makefile("rb") as stream:
            while (line := stream.readline().decode("latin-1").strip()) and not self._over.is_set():
                headers = {}
                while text := stream.readline().decode("latin-1").strip():
                    name, _, value = text.partition(": ")
                    headers[name.lower()] = value
                body = stream.read(int(headers.get("content-length", "0")))
                self.seen.append(Seen(line, headers, body))
                behaviour = self.behaviours[min(len(self.seen), len(self.behaviours)) - 1]
                behaviour(connection)


def says(text: bytes) -> Behaviour:
    return lambda connection: connection.sendall(text)


def answers(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> Behaviour:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return says("\r\n".join(lines).encode("latin-1") + body)


def hangs_up(after: bytes = b"") -> Behaviour:
    """Says a part and closes the connection."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(after)
        connection.shutdown(socket.SHUT_RDWR)

    return behave


def resets(connection: socket.socket) -> None:
    """Hangs up without a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError


@contextmanager
def serving(
    *behaviours: Behaviour, context: ssl.SSLContext | None = None, interrupts: bool = False
) -> Iterator[Server]:
    server = Server([*behaviours], context=context, interrupts=interrupts)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def wired(timeout: float = AMPLE) -> Iterator[HttpWire]:
    wire = HttpWire(timeout=timeout, clock=lambda: NOW)
    try:
        yield wire
    finally:
        wire.close()


def get(url: str, timeout: float = AMPLE) -> Answer | NoAnswer:
    with wired(timeout) as wire:
        return wire.send(Request("GET", url, BEARER))


def exchange(*behaviours: Behaviour, timeout: float = AMPLE) -> Answer | NoAnswer:
    with serving(*behaviours) as server:
        return get(f"{server.url}/x", timeout)


def sent(request: Callable[[str], Request]) -> Seen:
    """A request as it arrives at a server."""
    with serving(answers()) as server, wired() as wire:
        assert isinstance(wire.send(request(server.url)), Answer)
        (seen,) = server.seen
    return seen


# --- what leaves -------------------------------------------------------------------------------------------


def test_json_is_sent_with_its_secrets_and_a_signature() -> None:
    seen = sent(
        lambda url: Request(
            "POST",
            f"{url}/oauth/migrate?tenantType=PRACTICE",
            Signed(LEGACY, CREDENTIALS, {"oauth_session_handle": Secret("h")}),
            json={"scope": "a b", "client_secret": Secret("hush")},
        )
    )
    assert seen.line == "POST /oauth/migrate?tenantType=PRACTICE HTTP/1.1"
    assert json.loads(seen.body) == {"scope": "a b", "client_secret": "hush"}
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["authorization"].startswith("OAuth ")
    for part in ('oauth_token="tok"', 'oauth_session_handle="h"', f'timestamp="{int(NOW.timestamp())}"'):
        assert part in seen.headers["authorization"]


def test_a_form_is_sent_with_its_secrets_and_the_clients_password() -> None:
    seen = sent(
        lambda url: Request(
            "POST", f"{url}/token", Basic(CREDENTIALS), form={"grant_type": "x", "token": Secret("ü&=")}
        )
    )
    assert parse_qs(seen.body.decode()) == {"grant_type": ["x"], "token": ["ü&="]}
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    assert base64.b64decode(seen.headers["authorization"].removeprefix("Basic ")) == b"id:p:w"


def test_an_access_token_is_sent_as_a_bearers() -> None:
    seen = sent(lambda url: Request("GET", f"{url}/connections", BEARER))
    assert seen.line == "GET /connections HTTP/1.1"
    assert seen.headers["authorization"] == "Bearer access"
    assert seen.headers["user-agent"].startswith("oauth-migrator/")


def test_neither_proxies_nor_netrc_of_the_environment_are_heeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login stranger password stranger\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(answers(b"proxy")) as proxy, serving(answers(b"direct")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        answer = get(server.url)
        assert proxy.connections == 0
        assert server.seen[0].headers["authorization"] == "Bearer access"
    assert isinstance(answer, Answer)
    assert answer.body == b"direct"


def test_connections_are_kept_alive() -> None:
    with serving(answers()) as server, wired() as wire:
        for _ in range(3):
            assert isinstance(wire.send(Request("GET", server.url, BEARER)), Answer)
        assert (server.connections, len(server.seen)) == (1, 3)


def test_a_connection_that_the_server_closed_gets_no_call() -> None:
    def closes_after(connection: socket.socket) -> None:
        answers()(connection)
        connection.shutdown(socket.SHUT_RDWR)

    with serving(closes_after) as server, wired() as wire:
        for _ in range(3):
            assert isinstance(wire.send(Request("GET", server.url, BEARER)), Answer)
            for connection in wire._connections._open.values():
                assert wait_for_read(connection.sock, AMPLE)
        assert (server.connections, len(server.seen)) == (3, 3)


def test_what_comes_unasked_is_not_taken_for_the_next_answer() -> None:
    unasked = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse"
    twice = says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue" + unasked)
    with serving(twice) as server, wired() as wire:
        for _ in range(3):
            answer = wire.send(Request("GET", server.url, BEARER))
            assert isinstance(answer, Answer)
            assert answer.body == b"true"
        assert server.connections == 3


def test_each_call_is_signed_anew() -> None:
    with serving(answers()) as server, wired() as wire:
        for _ in range(3):
            wire.send(Request("POST", server.url, Signed(LEGACY, CREDENTIALS)))
        assert len({seen.headers["authorization"] for seen in server.seen}) == 3


def test_nothing_that_one_answer_says_goes_into_the_next_call() -> None:
    with serving(answers(b"{}", "200 OK", "Set-Cookie: user=first; Path=/")) as server, wired() as wire:
        for _ in range(2):
            wire.send(Request("GET", server.url, BEARER))
        assert "cookie" not in server.seen[1].headers


# --- what comes back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "401 Unauthorized", "429 Slow down", "503 No"])
def test_every_status_is_an_answer(status: str) -> None:
    answer = exchange(answers(b'{"a": 1}', status, "Retry-After: 7"))
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (int(status[:3]), b'{"a": 1}')
    assert answer.headers["retry-AFTER"] == "7"
    assert answer.received_at == NOW


def test_a_compressed_answer_is_read() -> None:
    answer = exchange(answers(gzip.compress(b"[]"), "200 OK", "Content-Encoding: gzip"))
    assert isinstance(answer, Answer)
    assert answer.body == b"[]"


@pytest.mark.parametrize(
    ("label", "body"),
    [
        ("deflate", zlib.compress(b"[1]")),
        ("deflate", zlib.compress(b"[1]", wbits=-zlib.MAX_WBITS)),
        ("x-gzip", gzip.compress(b"[1]")),
        ("identity", gzip.compress(b"[1]")),
        ("gzip", gzip.compress(b"[") + gzip.compress(b"1]")),
        ("gzip", b"[1]"),
        ("deflate", b"[1]"),
        ("br", b"[1]"),
    ],
    ids=["zlib", "raw deflate", "gzip", "gzip unsaid", "two in a row", "no gzip", "no deflate", "no brotli"],
)
def test_an_answer_is_read_whatever_its_label_says_of_its_packing(label: str, body: bytes) -> None:
    answer = exchange(answers(body, "200 OK", f"Content-Encoding: {label}"))
    assert isinstance(answer, Answer)
    assert (answer.body, answer.delimited) == (b"[1]", True)


@pytest.mark.parametrize("how", ["announced", "broken off", "damaged"])
def test_what_can_be_unpacked_of_a_packed_answer_is_kept(how: str) -> None:
    text = json.dumps({"first": "1", "rest": [hash(str(number)) for number in range(2_000)]}).encode()
    packed = gzip.compress(text)
    half = packed[: len(packed) // 2]
    if how == "damaged":
        half += b"\xff" * (len(packed) - len(half))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    announced = answers(half, "200 OK", "Content-Encoding: gzip")
    answer = exchange(hangs_up(head + half) if how == "broken off" else announced)
    assert isinstance(answer, NoAnswer)
    assert (answer.sent, answer.problem) == (True, "answer_broken")
    assert answer.part is not None
    assert answer.part.body[: len(text) // 3] == text[: len(text) // 3]


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "", "br", "gzip, deflate"]), st.data())
def test_no_body_makes_the_unpacking_fail(body: bytes, encoding: str, data: st.DataObject) -> None:
    packed = gzip.compress(body)
    assert unpacked(packed, encoding, 1_000) == Unpacked(body, whole=True)
    cut = packed[: data.draw(st.integers(2, len(packed) - 1))]
    found = unpacked(cut, encoding, 1_000)
    assert body.startswith(found.body) if found.body != cut else found.whole
    assert len(unpacked(cut + data.draw(st.binary(max_size=20)), encoding, 10).body) <= 10
    assert unpacked(packed, encoding, 10).whole is (len(body) <= 10)


def test_a_plain_answer_is_asked_for() -> None:
    seen = sent(lambda url: Request("GET", url, BEARER))
    assert seen.headers["accept-encoding"] == "identity"


def test_a_chunked_answer_is_read() -> None:
    answer = exchange(
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n")
    )
    assert isinstance(answer, Answer)
    assert answer.body == b"[1]"


CHUNKED = says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("behaviour", "delimited"),
    [
        pytest.param(answers(b"[1]"), True, id="length"),
        pytest.param(CHUNKED, True, id="chunks"),
        pytest.param(hangs_up(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[1]"), False, id="neither"),
    ],
)
def test_an_answer_tells_whether_its_end_was_announced(behaviour: Behaviour, delimited: bool) -> None:
    answer = exchange(behaviour)
    assert isinstance(answer, Answer)
    assert (answer.body, answer.delimited) == (b"[1]", delimited)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Same", "308 Same"])
def test_redirects_are_not_followed(status: str) -> None:
    with serving(answers()) as stranger:
        answer = exchange(answers(b"", status, f"Location: {stranger.url}/steal"))
        assert stranger.connections == 0
    assert isinstance(answer, Answer)
    assert answer.status == int(status[:3])


@pytest.mark.parametrize(
    "location", ["http://[", "http://[::1", "//", "http://", "\xe9\xff", "http://a:b:c/", "ftp://x", "%", "?"]
)
def test_a_redirect_to_nonsense_is_an_answer_too(location: str) -> None:
    answer = exchange(answers(b"", "302 Found", f"Location: {location}"))
    assert isinstance(answer, Answer)
    assert answer.status == 302


LOST = [
    pytest.param(hangs_up(), id="closes"),
    pytest.param(resets, id="resets"),
    pytest.param(hangs_up(b"HTT"), id="half a status"),
    pytest.param(hangs_up(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), id="half a body"),
    pytest.param(
        hangs_up(b"HTTP/1.1 302 OK\r\nLocation: /\r\nContent-Length: 9\r\n\r\nh"), id="half a redirect"
    ),
    pytest.param(
        hangs_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"), id="half a chunk"
    ),
    pytest.param(hangs_up(b"\x00\xffgarbage\r\n\r\n"), id="no HTTP"),
    pytest.param(hangs_up(b"HTTP/1.1 abc OK\r\n\r\n"), id="no status"),
    pytest.param(hangs_up(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"), id="endless header"),
    pytest.param(hangs_up(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"), id="many headers"),
    pytest.param(hangs_up(b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nx"), id="two lengths"),
    pytest.param(
        hangs_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhe\r\n"), id="broken chunks"
    ),
    pytest.param(
        answers(gzip.compress(b"half of it")[:-9], "200 OK", "Content-Encoding: gzip"), id="half a gzip"
    ),
]


@pytest.mark.parametrize("behaviour", LOST)
def test_an_answer_that_is_not_whole_is_none_and_the_call_may_have_had_its_effect(
    behaviour: Behaviour,
) -> None:
    answer = exchange(behaviour)
    assert isinstance(answer, NoAnswer)
    assert answer.sent
    assert answer.problem in ("no_answer", "answer_broken")


def test_a_server_that_never_answers_is_not_waited_for() -> None:
    answer = exchange(lambda _: None, timeout=SHORT)
    assert answer == NoAnswer(sent=True, problem="timeout")


def test_an_answer_that_stops_midway_is_not_waited_for() -> None:
    answer = exchange(says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), timeout=SHORT)
    assert isinstance(answer, NoAnswer)
    assert answer.sent


DRIPS = 100
"""So many take far longer than the longest call with a short time-out may."""


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"x", id="body"),
        pytest.param(b"HTTP/1.1 302 OK\r\nLocation: /\r\nContent-Length: 100\r\n\r\n", b"x", id="redirect"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", id="chunks"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"x", id="head"),
    ],
)
def test_an_answer_that_drips_is_given_up_when_the_longest_call_is_over(head: bytes, drop: bytes) -> None:
    pause, heard_out = threading.Event(), threading.Event()

    def drip(connection: socket.socket) -> None:
        """Each drop comes sooner than a time-out, the last one long after the longest call."""
        connection.sendall(head)
        for _ in range(DRIPS):
            pause.wait(SHORT / 6)
            connection.sendall(drop)
        heard_out.set()

    with serving(drip) as server:
        answer = get(server.url, SHORT)
    assert isinstance(answer, NoAnswer)
    assert answer.sent
    assert not heard_out.is_set()


TOO_LONG = b"x" * (LONGEST_BODY + 1)


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(answers(TOO_LONG), id="plain"),
        pytest.param(answers(gzip.compress(TOO_LONG * 20), "200 OK", "Content-Encoding: gzip"), id="packed"),
        pytest.param(hangs_up(b"HTTP/1.1 200 OK\r\n\r\n" + TOO_LONG), id="no length"),
    ],
)
def test_an_answer_that_is_too_long_is_none_but_what_had_come_is_kept(behaviour: Behaviour) -> None:
    answer = exchange(behaviour)
    assert isinstance(answer, NoAnswer)
    assert (answer.sent, answer.problem) == (True, "answer_too_long")
    assert answer.part is not None
    assert answer.part.body == TOO_LONG[:LONGEST_BODY], "what had come is kept, and no more"


def test_the_body_of_a_redirect_may_be_no_longer_than_another() -> None:
    answer = exchange(answers(TOO_LONG, "302 Found", "Location: /"))
    assert isinstance(answer, NoAnswer)
    assert (answer.sent, answer.problem) == (True, "answer_too_long")


def test_an_answer_of_just_the_longest_length_is_read() -> None:
    answer = exchange(answers(TOO_LONG[1:]))
    assert isinstance(answer, Answer)
    assert len(answer.body) == LONGEST_BODY


def test_after_a_lost_answer_the_same_wire_works_again() -> None:
    with serving(hangs_up(b"HTT"), answers(b"good")) as server, wired() as wire:
        assert isinstance(wire.send(Request("GET", server.url, BEARER)), NoAnswer)
        answer = wire.send(Request("GET", server.url, BEARER))
        assert len(server.seen) == 2
    assert isinstance(answer, Answer)
    assert answer.body == b"good"


def test_nothing_is_sent_a_second_time_by_itself() -> None:
    with serving(hangs_up()) as server, wired() as wire:
        wire.send(Request("POST", server.url, BEARER, json={}))
        assert len(server.seen) == 1


# --- no way there ------------------------------------------------------------------------------------------


def test_where_nobody_listens_nothing_was_sent() -> None:
    assert get(f"http://127.0.0.1:{free_port()}") == NoAnswer(sent=False, problem="connection_refused")


def test_a_name_that_is_none_is_not_reached() -> None:
    assert get("http://no-such-host.invalid") == NoAnswer(sent=False, problem="name_not_found")


def test_a_server_that_takes_no_more_connections_was_sent_nothing() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        try:
            for _ in range(3):  # the system lets in a few that nobody has accepted
                waiting.append(socket.socket())
                waiting[-1].settimeout(0)
                waiting[-1].connect_ex(listener.getsockname())
            answer = get(f"http://127.0.0.1:{listener.getsockname()[1]}", SHORT)
        finally:
            for one in waiting:
                one.close()
    assert answer == NoAnswer(sent=False, problem="connect_timeout")


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    real_now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(real_now - timedelta(days=1))
        .not_valid_after(real_now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


def test_a_certificate_that_nobody_vouches_for_gets_nothing_whatever_the_environment_says(
    self_signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(self_signed))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed)
    with serving(answers(), context=context) as server:
        answer = get(server.url)
    assert answer == NoAnswer(sent=False, problem="tls_certificate")
    assert server.seen == []
    assert server.connections == 1


def test_a_server_without_tls_was_sent_nothing() -> None:
    with serving(hangs_up(b"HTTP/1.1 400 Bad\r\n\r\n"), interrupts=True) as server:
        answer = get(server.url.replace("http", "https"))
    assert answer == NoAnswer(sent=False, problem="tls_fault")


@pytest.mark.parametrize(("timeout", "longest"), [(30.0, 40.0), (10.0, 20.0), (0.5, 1.0)])
def test_the_longest_call_is_connecting_and_answering(timeout: float, longest: float) -> None:
    assert longest_call(timeout) == longest
