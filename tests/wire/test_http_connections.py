"""The wire through real proxies and TLS: what goes wrong on the way has a name, and has sent nothing."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from migrator import tasks
from migrator.models import Secret
from migrator.providers import Answer, NoAnswer, Request, network_faults
from migrator.settings.model import NetworkSettings
from migrator.settings.proxy_url import ProxyUrl
from migrator.wire import http_connections
from migrator.wire.http import HttpWire
from migrator.wire.network import Network, Trust, resolve_network
from tests.ports import free_port
from tests.ways_out import PASSWORD, PROVIDER, USER, Proxy, answering, forget_the_way_out, proxying
from tests.wire.test_http import AMPLE, BEARER, NOW, SHORT, Behaviour, Server, answers, hangs_up, serving

CA = trustme.CA()
DRIPS = 100
"""So many take far longer than the longest call with a short time-out may."""


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_the_way_out(monkeypatch)


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    CA.cert_pem.write_to_path(path)
    return Trust(path, beside=True)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with proxying(tmp_path_factory.mktemp("proxy")) as running:
        yield running


def context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(made)
    return made


@contextmanager
def provider(*behaviours: Behaviour, certificate: trustme.LeafCert | None = None) -> Iterator[Server]:
    """A server whose certificate is the provider's."""
    with serving(*behaviours, context=context(certificate or CA.issue_cert(PROVIDER))) as server:
        yield server


@contextmanager
def wired(network: Network, timeout: float = AMPLE) -> Iterator[HttpWire]:
    wire = HttpWire(timeout=timeout, clock=lambda: NOW, network=network)
    try:
        yield wire
    finally:
        wire.close()


def get(network: Network, port: int, host: str = PROVIDER, timeout: float = AMPLE) -> Answer | NoAnswer:
    with wired(network, timeout) as wire:
        return wire.send(Request("GET", f"https://{host}:{port}/x", BEARER))


def nothing_sent(problem: str) -> NoAnswer:
    return NoAnswer(sent=False, problem=problem)


def drip(connection: socket.socket, head: bytes, drop: bytes, heard_out: threading.Event) -> None:
    """Each drop comes sooner than a time-out, the last one long after the longest call."""
    connection.sendall(head)
    for _ in range(DRIPS):
        heard_out.wait(SHORT / 6)
        connection.sendall(drop)
    heard_out.set()


@pytest.mark.parametrize("named", [False, True])
def test_authorities_are_read_where_that_holds_no_other_call_up(
    monkeypatch: pytest.MonkeyPatch, trust: Trust, named: bool
) -> None:
    read_in: list[str] = []

    def read(*_: object) -> ssl.SSLContext:
        read_in.append(threading.current_thread().name)
        return ssl.create_default_context()

    monkeypatch.setattr(http_connections, "public_authorities", read)
    monkeypatch.setattr(Trust, "context", read)
    network = Network(trust=trust if named else None)
    got: list[Answer | NoAnswer] = []
    tasks.run(lambda: got.append(get(network, free_port(), "127.0.0.1")), "workers")
    assert got == [nothing_sent(network_faults.CONNECTION_REFUSED)]
    assert len(read_in) == 1
    assert read_in[0].startswith("workers-wait")


# --- the way through ---------------------------------------------------------------------------------------


def test_a_tunnel_is_kept_and_what_is_for_the_proxy_goes_no_further(proxy: Proxy, trust: Trust) -> None:
    network = Network(ProxyUrl(proxy.url, USER, Secret(PASSWORD)), trust=trust)
    asked = len(proxy.asked())
    with provider(answers()) as server, wired(network) as wire:
        for _ in range(3):
            answer = wire.send(Request("GET", f"https://{PROVIDER}:{server.port}/x", BEARER))
            assert isinstance(answer, Answer)
        assert proxy.asked()[asked:] == [f"CONNECT {PROVIDER}"]
        assert (server.connections, len(server.seen)) == (1, 3)
        assert server.seen[0].headers["authorization"] == "Bearer access"
        assert "proxy-authorization" not in server.seen[0].headers


def test_a_proxy_that_is_spoken_to_in_tls_sees_no_more_than_another(tmp_path: Path, trust: Trust) -> None:
    certificate = tmp_path / "proxy.pem"
    CA.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    with proxying(tmp_path, certificate=certificate) as proxy, provider(answers(b"[1]")) as server:
        in_tls = ProxyUrl(proxy.url.replace("http:", "https:"))
        answer = get(Network(in_tls, trust=trust), server.port)
        assert isinstance(answer, Answer)
        assert answer.body == b"[1]"
        assert proxy.asked() == [f"CONNECT {PROVIDER}"]
        assert get(Network(in_tls), server.port) == nothing_sent("proxy_certificate")
        assert len(server.seen) == 1
        heard_out = threading.Event()
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
        with provider(lambda connection: drip(connection, head, b"x", heard_out)) as dripping:
            late = get(Network(in_tls, trust=trust), dripping.port, timeout=SHORT)
            assert not heard_out.is_set()
        assert isinstance(late, NoAnswer)
        assert late.sent


def test_what_the_environment_excepts_is_not_asked_of_the_proxy(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", ".example")
    asked = len(proxy.asked())
    # The name is known to the proxy alone.
    network = resolve_network(NetworkSettings(environment=True), {})
    assert get(network, 1) == nothing_sent("name_not_found")
    assert len(proxy.asked()) == asked


# --- no way through ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["forbidden.example", "unreachable.example", "later.example"])
def test_a_proxy_that_refuses_has_sent_nothing(proxy: Proxy, host: str) -> None:
    asked = len(proxy.asked())
    assert get(Network(ProxyUrl(proxy.url)), 443, host) == nothing_sent("proxy_refused")
    assert proxy.asked()[asked:] == [f"CONNECT {host}"]


def test_a_provider_that_the_proxy_does_not_reach_has_been_sent_nothing(proxy: Proxy) -> None:
    assert get(Network(ProxyUrl(proxy.url)), free_port()) == nothing_sent("proxy_refused")


@pytest.mark.parametrize("user", ["", USER])
def test_a_proxy_that_wants_to_know_who_asks_has_sent_nothing(
    tmp_path: Path, trust: Trust, user: str
) -> None:
    with provider(answers()) as server, proxying(tmp_path, demands=True) as proxy:
        wrong = Network(ProxyUrl(proxy.url, user, Secret("wrong")), trust=trust)
        assert get(wrong, server.port) == nothing_sent("proxy_authentication")
        assert server.connections == 0
        right = Network(ProxyUrl(proxy.url, USER, Secret(PASSWORD)), trust=trust)
        assert isinstance(get(right, server.port), Answer)


def test_a_proxy_that_is_not_there_has_sent_nothing() -> None:
    gone = ProxyUrl(f"http://127.0.0.1:{free_port()}")
    assert get(Network(gone), 443) == nothing_sent("proxy_unreachable")
    unknown = ProxyUrl("http://no-such-proxy.invalid:3128")
    assert get(Network(unknown), 443) == nothing_sent("proxy_name_not_found")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTT",
        b"nonsense\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_is_no_proxy_has_sent_nothing(answer: bytes, scheme: str) -> None:
    def behave(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)

    with answering(behave) as port:
        got = get(Network(ProxyUrl(f"{scheme}://127.0.0.1:{port}")), 443)
    assert got == nothing_sent("proxy_broken")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_says_nothing_has_sent_nothing(scheme: str) -> None:
    def behave(connection: socket.socket) -> None:
        while connection.recv(4096):
            pass

    with answering(behave) as port:
        got = get(Network(ProxyUrl(f"{scheme}://127.0.0.1:{port}")), 443, timeout=SHORT)
    assert got == nothing_sent("proxy_broken")


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        pytest.param(b"HTT", b"P", id="protocol"),
        pytest.param(b"HTTP/1.1 200 ", b"x", id="status"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", id="head"),
    ],
)
def test_a_proxy_whose_answer_drips_is_given_up_when_the_longest_call_is_over(
    head: bytes, drop: bytes
) -> None:
    heard_out = threading.Event()
    with answering(lambda connection: drip(connection, head, drop, heard_out)) as port:
        got = get(Network(ProxyUrl(f"http://127.0.0.1:{port}")), 443, timeout=SHORT)
        assert not heard_out.is_set()
    assert got == nothing_sent("proxy_broken")


def test_tls_that_drips_through_a_tunnel_is_given_up_when_the_longest_call_is_over() -> None:
    heard_out = threading.Event()

    def behave(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.recv(4096)
        # The beginning of a server's hello; more of it follows, byte by byte.
        drip(connection, b"\x16\x03\x03\x00\x64\x02\x00\x00\x60\x03\x03", b"x", heard_out)

    with answering(behave) as port:
        got = get(Network(ProxyUrl(f"http://127.0.0.1:{port}")), 443, timeout=SHORT)
        assert not heard_out.is_set()
    assert got == nothing_sent("connect_timeout")


def test_an_answer_that_drips_through_a_tunnel_is_given_up_and_may_have_had_its_effect(
    proxy: Proxy, trust: Trust
) -> None:
    heard_out = threading.Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"

    def behave(connection: socket.socket) -> None:
        drip(connection, head, b"x", heard_out)

    with provider(behave) as server:
        got = get(Network(ProxyUrl(proxy.url), trust=trust), server.port, timeout=SHORT)
        assert not heard_out.is_set()
        assert len(server.seen) == 1
    assert isinstance(got, NoAnswer)
    assert got.sent


def test_a_provider_that_hangs_up_after_the_request_may_have_acted_on_it(proxy: Proxy, trust: Trust) -> None:
    def behave(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_RDWR)

    with provider(behave) as server:
        got = get(Network(ProxyUrl(proxy.url), trust=trust), server.port)
        assert len(server.seen) == 1
    assert got == NoAnswer(sent=True, problem="no_answer")


@pytest.mark.parametrize(
    ("said", "problem"),
    [(b"", "no_answer"), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "answer_broken")],
    ids=["nothing", "half"],
)
def test_it_may_have_behind_a_proxy_that_is_spoken_to_in_tls_too(
    tmp_path: Path, trust: Trust, said: bytes, problem: str
) -> None:
    certificate = tmp_path / "proxy.pem"
    CA.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    with proxying(tmp_path, certificate=certificate) as proxy, provider(hangs_up(said)) as server:
        in_tls = ProxyUrl(proxy.url.replace("http:", "https:"))
        got = get(Network(in_tls, trust=trust), server.port)
        assert len(server.seen) == 1
    assert isinstance(got, NoAnswer)
    assert (got.sent, got.problem) == (True, problem)


def test_a_tunnel_that_leads_to_nobody_has_sent_nothing(trust: Trust) -> None:
    """Many proxies say 200 before they know."""

    def behave(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with answering(behave) as port:
        got = get(Network(ProxyUrl(f"http://127.0.0.1:{port}"), trust=trust), 443)
    assert got == nothing_sent("tls_fault")


# --- whom to believe ---------------------------------------------------------------------------------------


def ended(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert(PROVIDER, not_after=datetime.now(UTC) - timedelta(days=1))


@pytest.mark.parametrize(
    ("issue", "problem"),
    [
        (lambda: trustme.CA().issue_cert(PROVIDER), "tls_certificate"),
        (lambda: CA.issue_cert("another.example"), "tls_wrong_host"),
        (lambda: CA.issue_cert("127.0.0.1"), "tls_wrong_host"),
        (lambda: ended(CA), "tls_expired"),
    ],
    ids=["unknown", "another's", "an address's", "ended"],
)
def test_a_certificate_that_is_not_valid_gets_nothing(
    proxy: Proxy, trust: Trust, issue: Callable[[], trustme.LeafCert], problem: str
) -> None:
    with provider(answers(), certificate=issue()) as server:
        assert get(Network(ProxyUrl(proxy.url), trust=trust), server.port) == nothing_sent(problem)
        assert server.seen == []
    assert problem in network_faults.LASTING
    assert ("network.ca_file" in network_faults.HINTS[problem]) is (problem == "tls_certificate")


def test_an_own_authority_is_believed_without_a_proxy_too(trust: Trust) -> None:
    with provider(answers(), certificate=CA.issue_cert("127.0.0.1")) as server:
        assert isinstance(get(Network(trust=trust), server.port, "127.0.0.1"), Answer)
        assert get(Network(), server.port, "127.0.0.1") == nothing_sent("tls_certificate")


def test_an_authority_that_is_no_root_is_believed_where_it_is_named(proxy: Proxy, tmp_path: Path) -> None:
    """People export what their browser shows them, which is often the one in the middle."""
    middle = CA.create_child_ca()
    middle.cert_pem.write_to_path(tmp_path / "middle.pem")
    network = resolve_network(NetworkSettings(ProxyUrl(proxy.url), ca_file=tmp_path / "middle.pem"), {})
    with provider(answers(), certificate=middle.issue_cert(PROVIDER)) as server:
        assert isinstance(get(network, server.port), Answer)


def test_the_public_authorities_are_not_believed_where_the_environment_names_others(
    proxy: Proxy, trust: Trust, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours plays a public one: it is what is believed if nobody says otherwise."""
    monkeypatch.setattr("migrator.wire.network.DEFAULT_CA_BUNDLE_PATH", str(trust.path))
    trustme.CA().cert_pem.write_to_path(tmp_path / "another.pem")
    alone = Network(ProxyUrl(proxy.url), trust=Trust(tmp_path / "another.pem", beside=False))
    with provider(answers()) as server:
        assert isinstance(get(Network(ProxyUrl(proxy.url)), server.port), Answer)
        assert get(alone, server.port) == nothing_sent("tls_certificate")
