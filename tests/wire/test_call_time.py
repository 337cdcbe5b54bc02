"""How long a call may take: what has arrived is read whatever the time, and only running time counts."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
import trustme

from migrator import tasks
from migrator.models import Credentials, Secret
from migrator.providers import Answer, Bearer, NoAnswer, Request
from migrator.wire.call_time import CallTime
from migrator.wire.http import HttpWire
from migrator.wire.http_connections import LONGEST_IDLE, Connections, NotConnectedError
from migrator.wire.network import DIRECT, Network, Trust
from migrator.wire.running_time import RunningClock
from migrator.wire.targets import Origin
from tests.ways_out import PROVIDER
from tests.wire.test_http import AMPLE, SHORT, Behaviour, answers, serving

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CREDENTIALS = Credentials("ck", "HMAC-SHA1", Secret("cs"), Secret(""), "id", Secret("p:w"), ())


def asking(url: str) -> Request:
    return Request("GET", url, Bearer(Secret("access")))


@contextmanager
def wired(
    running: RunningClock, timeout: float = AMPLE, clock: Callable[[], datetime] = lambda: NOW
) -> Iterator[HttpWire]:
    wire = HttpWire(timeout=timeout, clock=clock, running=running)
    try:
        yield wire
    finally:
        wire.close()


Runner = Callable[[Callable[[], None]], None]


def in_a_task(work: Callable[[], None]) -> None:
    tasks.run(work, "workers")


def in_a_thread(work: Callable[[], None]) -> None:
    work()


@pytest.fixture(params=[in_a_task, in_a_thread], ids=["task", "thread"])
def run(request: pytest.FixtureRequest) -> Runner:
    runner: Runner = request.param
    return runner


LONG = b"x" * 100_000


def late(connection: socket.socket) -> None:
    """Answers long after the time-out, and in pieces that are no whole record of TLS's."""
    time.sleep(3 * SHORT)
    answers(LONG)(connection)


@pytest.mark.parametrize("body", [b"{}", b"x" * 30_000], ids=["one read", "several reads"])
def test_an_answer_that_is_there_is_read_though_the_time_is_over(body: bytes) -> None:
    answered = threading.Event()

    def answer(connection: socket.socket) -> None:
        answers(body)(connection)
        answered.set()

    with serving(answer) as server:

        def running() -> float:
            """Once the call was sent: stopped until all of its answer had come, and far too late then."""
            if not server.seen:
                return 0.0
            assert answered.wait(AMPLE)
            return 1e6

        with wired(running) as wire:
            got = wire.send(asking(server.url))
    assert isinstance(got, Answer)
    assert got.body == body


def test_time_in_which_the_process_did_not_run_does_not_count() -> None:
    with serving(late) as server, wired(lambda: 0.0, timeout=SHORT) as wire:
        assert isinstance(wire.send(asking(server.url)), Answer)


def test_what_takes_too_long_to_connect_has_sent_nothing() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as mute, wired(time.monotonic, SHORT) as wire:
        answer = wire.send(asking(f"https://127.0.0.1:{mute.getsockname()[1]}/"))
    assert answer == NoAnswer(sent=False, problem="connect_timeout")


@pytest.mark.parametrize(
    ("passed", "connections"),
    [
        (LONGEST_IDLE, 1),
        (LONGEST_IDLE + timedelta(seconds=1), 2),
        (-LONGEST_IDLE - timedelta(seconds=1), 2),  # a clock that was set back tells nothing
    ],
)
def test_a_connection_that_was_idle_for_long_is_made_anew(passed: timedelta, connections: int) -> None:
    now = [NOW]
    with serving(answers()) as server, wired(time.monotonic, clock=lambda: now[0]) as wire:
        assert isinstance(wire.send(asking(server.url)), Answer)
        now[0] += passed
        assert isinstance(wire.send(asking(server.url)), Answer)
        assert server.connections == connections


@pytest.mark.parametrize(("silence", "longest"), [(SHORT, 1e6), (1e6, SHORT)], ids=["silence", "call"])
def test_what_does_not_come_is_waited_for_until_the_first_of_both_times_is_over(
    silence: float, longest: float, run: Runner
) -> None:
    time_of_call = CallTime(time.monotonic, lambda: NOW)
    time_of_call.begin(longest)
    ours, theirs = socket.socketpair()

    def receive() -> None:
        with pytest.raises(TimeoutError):
            time_of_call.receive(ours, silence)

    with ours, theirs:
        run(receive)


@pytest.mark.parametrize("slept", [timedelta(hours=2), timedelta(hours=-2)])
def test_what_was_signed_long_ago_is_not_sent(slept: timedelta) -> None:
    now = [NOW]
    time_of_call = CallTime(time.monotonic, lambda: now[0])
    connections = Connections(DIRECT, time_of_call)
    with serving(answers()) as server, closing(connections):
        origin = Origin("http", "127.0.0.1", server.port)
        connections.begin(AMPLE)
        now[0] += slept
        with pytest.raises(NotConnectedError) as caught:
            connections.to(origin, AMPLE)
        assert caught.value.problem == "connect_timeout"
        connections.begin(AMPLE)
        connections.to(origin, AMPLE)
        now[0] += slept
        with pytest.raises(NotConnectedError):  # nor over a connection that is there already
            connections.to(origin, AMPLE)
        assert server.seen == []


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@contextmanager
def in_tls(
    authority: trustme.CA, folder: Path, behaviour: Behaviour, running: RunningClock
) -> Iterator[tuple[str, HttpWire]]:
    """A server behind TLS, and a short-tempered wire that believes it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    network = Network(trust=Trust(folder / "ca.pem", beside=False))
    with serving(behaviour, context=context) as server:
        wire = HttpWire(timeout=SHORT, clock=lambda: NOW, running=running, network=network)
        with closing(wire):
            yield server.url, wire


def test_nor_does_it_count_behind_tls(authority: trustme.CA, tmp_path: Path, run: Runner) -> None:
    got: list[Answer | NoAnswer] = []
    with in_tls(authority, tmp_path, late, lambda: 0.0) as (url, wire):
        run(lambda: got.append(wire.send(asking(url))))
    (answer,) = got
    assert isinstance(answer, Answer)
    assert answer.body == LONG


def test_an_answer_that_does_not_come_is_given_up_there_too(
    authority: trustme.CA, tmp_path: Path, run: Runner
) -> None:
    got: list[Answer | NoAnswer] = []
    with in_tls(authority, tmp_path, lambda _: None, time.monotonic) as (url, wire):
        run(lambda: got.append(wire.send(asking(url))))
    assert got == [NoAnswer(sent=True, problem="timeout")]


LARGE = "x" * 16_000_000
"""More than any buffer between two sockets takes."""


def telling(url: str) -> Request:
    return Request("POST", url, Bearer(Secret("access")), body=LARGE)


def test_a_large_request_arrives_whole(run: Runner) -> None:
    got: list[Answer | NoAnswer] = []
    with serving(answers()) as server, wired(time.monotonic) as wire:
        run(lambda: got.append(wire.send(telling(server.url))))
        assert server.seen[0].body == LARGE.encode()
    assert isinstance(got[0], Answer)


def test_it_does_behind_tls_too(authority: trustme.CA, tmp_path: Path, run: Runner) -> None:
    got: list[Answer | NoAnswer] = []
    with in_tls(authority, tmp_path, answers(), lambda: 0.0) as (url, wire):
        run(lambda: got.append(wire.send(telling(url))))
    assert isinstance(got[0], Answer)


def test_a_server_that_does_not_read_is_given_up_and_may_have_acted(run: Runner) -> None:
    got: list[Answer | NoAnswer] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as mute, wired(time.monotonic, SHORT) as wire:
        run(lambda: got.append(wire.send(telling(f"http://127.0.0.1:{mute.getsockname()[1]}/"))))
    assert got == [NoAnswer(sent=True, problem="timeout")]


def test_who_sends_waits_for_what_tls_must_receive_before(authority: trustme.CA, run: Runner) -> None:
    ours, theirs = socket.socketpair()
    server_side, client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(PROVIDER).configure_cert(server_side)
    authority.configure_trust(client_side)
    looks = count()
    heard: list[bytes] = []

    def running() -> float:
        next(looks)
        return 0.0

    def hear_late() -> None:
        time.sleep(SHORT)
        with server_side.wrap_socket(theirs, server_side=True) as their_end:
            heard.append(their_end.recv(9))

    def send() -> None:
        time_of_call = CallTime(running, lambda: NOW)
        time_of_call.begin(AMPLE)
        our_end = client_side.wrap_socket(ours, server_hostname=PROVIDER, do_handshake_on_connect=False)
        with our_end:
            time_of_call.send(our_end, b"hello", AMPLE)
            server.join()

    server = threading.Thread(target=hear_late)
    with ours, theirs:
        server.start()
        run(send)
    assert heard == [b"hello"]
    assert next(looks) < 50, "it has looked again and again"
