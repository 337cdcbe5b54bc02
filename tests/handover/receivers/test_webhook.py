"""Webhooks over real HTTP: an endpoint that checks signatures as the specification says, and is not always
well.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from itertools import count

import pytest

from migrator.errors import ConfigurationError, ExitCode
from migrator.handover.receivers.interface import Delivery, UnavailableError
from migrator.handover.receivers.webhook import Webhook
from migrator.models import Secret
from migrator.providers import Answer, NoAnswer, Request
from migrator.wire.http import HttpWire
from tests.handover.receivers.support import HUSH, delivery, row
from tests.http_server import Quiet, listening
from tests.ports import free_port
from tests.sources.helpers import whole_text

KEY = b"HUSH7HUSH: thirty-two bytes, all"
SECRET = Secret(f"whsec_{base64.b64encode(KEY).decode()}")
NOW = datetime(2026, 6, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@dataclass
class Message:
    """One that came, with a good signature."""

    id: str
    timestamp: int
    type: str
    said_at: str
    delivery_id: str
    rows: list[dict[str, object]]
    path: str
    content_type: str
    status: int = 0

    @property
    def keys(self) -> list[object]:
        return [row["connection_id"] for row in self.rows]


def verified(headers: dict[str, str], body: bytes) -> bool:
    """As the specification says, from scratch."""
    content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = base64.b64encode(hmac.new(KEY, content, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split(" ")


@dataclass
class Endpoint:
    """Answers as it is told; knows what it took."""

    url: str = ""
    status: Callable[[Message], int] = lambda _: 200
    messages: list[Message] = field(default_factory=list)
    requests: int = 0

    @property
    def taken(self) -> list[object]:
        return [key for message in self.messages if message.status < 300 for key in message.keys]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    told = Endpoint()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.requests += 1
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = 401
            if verified(headers, body):
                said = json.loads(body)
                message = Message(
                    headers["webhook-id"],
                    int(headers["webhook-timestamp"]),
                    said["type"],
                    said["timestamp"],
                    said["data"]["delivery_id"],
                    said["data"]["pairs"],
                    self.path,
                    headers["content-type"],
                )
                assert set(said) == {"type", "timestamp", "data"}
                assert set(said["data"]) == {"delivery_id", "pairs"}
                message.status = status = told.status(message)
                told.messages.append(message)
            self.send_response(status)
            self.send_header("Content-Length", "0" if status == 204 else "2")
            if 300 <= status < 400:
                self.send_header("Location", f"{told.url}/elsewhere")
            self.end_headers()
            self.wfile.write(b"" if status == 204 else b"{}")

    with listening(Handler) as url:
        told.url = url
        yield told


def ticking() -> Callable[[], datetime]:
    """A clock that goes on by a second whenever it is looked at."""
    seconds = count()
    return lambda: NOW + timedelta(seconds=next(seconds))


@pytest.fixture
def hook(endpoint: Endpoint) -> Iterator[Webhook]:
    made = webhook(f"{endpoint.url}/pairs?tenant=7", most=4)
    yield made
    made.close()


def webhook(url: str, secret: Secret = SECRET, most: int = 100) -> Webhook:
    clock = ticking()
    return Webhook(url, secret, HttpWire(timeout=30, clock=clock), clock=clock, most=most)


def fault(made: Webhook, asked: Delivery) -> str:
    """How a delivery failed."""
    with pytest.raises(UnavailableError) as caught:
        made.deliver(asked)
    assert HUSH not in whole_text(caught.value)
    return str(caught.value)


# --- what it gets ---


def test_a_message_is_signed_and_has_pairs(hook: Webhook, endpoint: Endpoint) -> None:
    assert hook.deliver(delivery(1, 2)) == {}
    [message] = endpoint.messages
    assert message.rows == [row(1), row(2)]
    assert (message.id, message.delivery_id, message.type) == ("d-1-1-2", "d-1", "oauth2.pairs")
    assert datetime.fromisoformat(message.said_at) - NOW < timedelta(seconds=9)
    assert message.timestamp == int(datetime.fromisoformat(message.said_at).timestamp())
    assert (message.path, message.content_type) == ("/pairs?tenant=7", "application/json")


def test_another_secret_signs_nothing_that_counts(endpoint: Endpoint) -> None:
    made = webhook(endpoint.url, Secret(f"whsec_{base64.b64encode(KEY[::-1]).decode()}"))
    assert fault(made, delivery(1)) == "answered 401"
    assert endpoint.messages == []
    made.close()


def test_many_pairs_go_in_several_messages(hook: Webhook, endpoint: Endpoint) -> None:
    assert hook.deliver(delivery(*range(10))) == {}
    assert [len(message.rows) for message in endpoint.messages] == [4, 4, 2]
    assert endpoint.taken == [f"k{n}" for n in range(10)]
    assert len({message.id for message in endpoint.messages}) == 3


def test_a_hundred_pairs_are_a_message(endpoint: Endpoint) -> None:
    made = webhook(endpoint.url)
    assert made.deliver(delivery(*range(201), filler="t" * 2000)) == {}
    assert [len(message.rows) for message in endpoint.messages] == [100, 100, 1]
    made.close()


def test_nothing_to_deliver_is_not_sent(hook: Webhook, endpoint: Endpoint) -> None:
    assert hook.deliver(delivery()) == {}
    assert endpoint.requests == 0


# --- what it answers ---


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_success_is_one(hook: Webhook, endpoint: Endpoint, status: int) -> None:
    endpoint.status = lambda _: status
    assert hook.deliver(delivery(1, 2)) == {}
    assert endpoint.requests == 1


@pytest.mark.parametrize("status", [400, 409, 413, 422])
@pytest.mark.parametrize("bad", [{1}, {4}, {2, 3}, {0, 5, 8}, set(range(9))])
def test_a_pair_that_is_not_taken_keeps_no_other_one_out(
    hook: Webhook, endpoint: Endpoint, status: int, bad: set[int]
) -> None:
    not_taken = {f"k{n}" for n in bad}
    endpoint.status = lambda message: status if not_taken & set(message.keys) else 200
    assert hook.deliver(delivery(*range(9))) == dict.fromkeys(not_taken, f"HTTP {status}")
    assert sorted(map(str, endpoint.taken)) == sorted({f"k{n}" for n in range(9)} - not_taken)


def test_a_message_that_is_too_long_goes_in_parts(hook: Webhook, endpoint: Endpoint) -> None:
    endpoint.status = lambda message: 413 if len(message.rows) > 2 else 200
    assert hook.deliver(delivery(*range(4))) == {}
    assert [message.keys for message in endpoint.messages[1:]] == [["k0", "k1"], ["k2", "k3"]]


def meaning(messages: Sequence[Message]) -> dict[str, list[dict[str, object]]]:
    """What each id stands for; fails if that is not the same each time."""
    known: dict[str, list[dict[str, object]]] = {}
    for message in messages:
        assert known.setdefault(message.id, message.rows) == message.rows
    return known


def test_a_delivery_of_which_nobody_knows_is_sent_again_under_its_ids(
    hook: Webhook, endpoint: Endpoint
) -> None:
    hook.deliver(delivery(1, 2))
    assert hook.settle(delivery(1, 2)) == {}
    first, again = endpoint.messages
    assert (first.id, first.keys) == (again.id, again.keys)


def test_what_is_sent_again_has_the_same_id_and_a_new_moment(hook: Webhook, endpoint: Endpoint) -> None:
    failing = {"k6"}

    def status(message: Message) -> int:
        if "k1" in message.keys:
            return 422
        return 503 if failing & set(message.keys) else 200

    endpoint.status = status
    asked = delivery(*range(10))
    assert fault(hook, asked) == "answered 503"
    before = len(endpoint.messages)
    failing.clear()
    assert hook.deliver(asked) == {"k1": "HTTP 422"}
    first, again = endpoint.messages[:before], endpoint.messages[before:]
    assert [message.id for message in again][:before] == [message.id for message in first]
    assert len(meaning(endpoint.messages)) == len(again)
    moments = [message.timestamp for message in endpoint.messages]
    assert moments == sorted(set(moments))
    assert len({message.said_at for message in endpoint.messages}) == len(moments)


def test_an_id_has_one_meaning_however_many_pairs_a_message_has(endpoint: Endpoint) -> None:
    endpoint.status = lambda message: 422 if "k3" in message.keys else 200
    for most in (3, 4, 5, 9):
        made = webhook(endpoint.url, most=most)
        assert made.deliver(delivery(*range(9))) == {"k3": "HTTP 422"}
        made.close()
    assert meaning(endpoint.messages)


def test_ids_of_other_deliveries_are_others(hook: Webhook, endpoint: Endpoint) -> None:
    hook.deliver(delivery(*range(9)))
    hook.deliver(delivery(*range(9), called="d-2"))
    assert len({message.id for message in endpoint.messages}) == len(endpoint.messages) == 6


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 401, 403, 404, 408, 410, 429, 500, 502, 503])
def test_any_other_answer_is_of_the_endpoint(hook: Webhook, endpoint: Endpoint, status: int) -> None:
    """A redirect is not followed: tokens would go to somebody else."""
    endpoint.status = lambda _: status
    assert fault(hook, delivery(*range(9))) == f"answered {status}"
    assert endpoint.requests == 1


def test_nobody_there_is_no_answer() -> None:
    made = webhook(f"http://127.0.0.1:{free_port()}")
    assert fault(made, delivery(1)) == "connection_refused"
    made.close()


# --- what is seen of it ---


class Recording:
    """Stands in for the network, and keeps what was sent."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.closed = False

    def send(self, request: Request) -> Answer | NoAnswer:
        self.requests.append(request)
        return NoAnswer(sent=True, problem="timeout")

    def close(self) -> None:
        self.closed = True


def test_a_check_sends_nothing() -> None:
    wire = Recording()
    made = Webhook("https://app.example/pairs", SECRET, wire, clock=lambda: NOW)
    made.check()
    assert wire.requests == []
    made.close()
    assert wire.closed


def test_it_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wire = Recording()
    made = Webhook(f"https://app.example/pairs?token={HUSH}", SECRET, wire, clock=lambda: NOW)
    assert fault(made, delivery(1)) == "timeout"
    [request] = wire.requests
    shown = f"{made!r}{made.name}{request!r}{caplog.text}"
    for secret in (HUSH, SECRET.reveal().removeprefix("whsec_")):
        assert secret not in shown


def test_it_has_what_it_said_that_it_has() -> None:
    made = Webhook("https://app.example", SECRET, Recording(), clock=lambda: NOW)
    assert made.has([row(1)])


# --- the URL and the secret ---


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://app.example", "https://app.example"),
        ("https://App.example/", "https://app.example"),
        ("https://app.example:443/pairs", "https://app.example/pairs"),
        ("https://app.example:8443/a/pairs/", "https://app.example:8443/a/pairs"),
        (f"https://app.example/pairs?token={HUSH}", "https://app.example/pairs (…)"),
        (f"https://app.example/in/{HUSH * 3}/pairs", "https://app.example/in/…/pairs (…)"),
        (f"https://app.example/{'a' * 20}/{'b' * 21}", f"https://app.example/{'a' * 20}/… (…)"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
        ("http://localhost:8080/x", "http://localhost:8080/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
    ],
)
def test_a_name_is_where_it_is_without_what_may_be_secret(url: str, name: str) -> None:
    shown = Webhook(url, SECRET, Recording(), clock=lambda: NOW).name
    assert re.sub(r"\([0-9a-f]{8}\)$", "(…)", shown) == name


def test_endpoints_that_are_shown_alike_are_told_apart() -> None:
    one, other = (
        Webhook(f"https://app.example/pairs?of={number}", SECRET, Recording(), clock=lambda: NOW)
        for number in "12"
    )
    assert one.name != other.name


NO_URL = "it is not an https URL with a host"
NOT_ASCII = "it is not a URL in ASCII"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", NO_URL),
        (HUSH, NO_URL),
        (f"https:///{HUSH}", NO_URL),
        (f"ftp://app.example/{HUSH}", NO_URL),
        (f"https://app.example:port/{HUSH}", NO_URL),
        (f"https://[::1/{HUSH}", NO_URL),
        (f"https://app.example:99999/{HUSH}", NO_URL),
        (f"https://app.exämple/{HUSH}", NOT_ASCII),
        (f"https://app.example/{HUSH} x", NOT_ASCII),
        (f"https://app.example/{HUSH}\r\nx: y", NOT_ASCII),
        (f"https://app.example\\{HUSH}", NOT_ASCII),
        (f"https://{HUSH}@app.example/", "it holds a user or a password"),
        (f"https://user:{HUSH}@app.example/", "it holds a user or a password"),
        (f"https://:{HUSH}@app.example/", "it holds a user or a password"),
        ("https://@app.example/", "it holds a user or a password"),
        (f"https://app.example/#{HUSH}", "it has a fragment"),
        ("https://app.example/#", "it has a fragment"),
        (f"http://app.example/{HUSH}", "it is plain http to another machine"),
        (f"http://127.0.0.1.example/{HUSH}", "it is plain http to another machine"),
        (f"http://10.0.0.1/{HUSH}", "it is plain http to another machine"),
        (f"HTTP://app.example/{HUSH}", "it is plain http to another machine"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_it(url: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Webhook(url, SECRET, Recording(), clock=lambda: NOW)
    assert caught.value.message == f"the URL of the webhook cannot be used: {problem}"
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.hint
    assert HUSH not in whole_text(caught.value)


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        (HUSH, "it does not begin with whsec_"),
        (f"whsec_{HUSH}", "it is not base64 after whsec_"),
        (f"whsec_{base64.b64encode(KEY[:23]).decode()}", "it must hold 24 to 64 bytes"),
    ],
)
def test_a_secret_that_cannot_be_used_is_told_without_it(secret: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Webhook("https://app.example", Secret(secret), Recording(), clock=lambda: NOW)
    assert caught.value.message == f"the secret of the webhook cannot be used: {problem}"
    assert secret.removeprefix("whsec_") not in whole_text(caught.value)
