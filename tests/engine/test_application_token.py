"""The application's own access token, against a server: fetched once for all, anew when it ends or is
refused, and nobody's fault when there is none.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from migrator.engine.application_token import REFUSED, ApplicationTokens, Prepared, _Client
from migrator.models import Action
from migrator.providers import (
    Answer,
    Bearer,
    Given,
    Later,
    NoAnswer,
    Outcome,
    Profile,
    StopAll,
)
from migrator.wire.http import HttpWire
from tests.providers.support import CREDENTIALS, GIVEN, acme

OWN = (
    '\n[application_token]\nrequest = "POST https://api.acme.example/app"\nauth = "client"\n'
    'form = { grant_type = "client_credentials" }\n'
)
FACTS = acme(
    ('auth = "client"\nform = { token', 'auth = "application_bearer"\nform = { token'), more=OWN
).facts
AMPLE = 30.0


@dataclass
class Acme:
    """Gives tokens of the application's own, and takes those that it has not ended."""

    port: int = 0
    fetched: list[str] = field(default_factory=list)
    """Who asked for a token, by the ``Authorization``."""
    calls: list[str] = field(default_factory=list)
    """What the other calls bore."""
    alive: set[str] = field(default_factory=set)
    lifetime: int | None = 3600
    refuses: int = 0
    """The status of whatever is asked for at the token endpoint; 0 if all is well."""
    wait: threading.Barrier | None = None
    """Where calls for a token wait for the test."""
    now: datetime = datetime(2026, 6, 1, 12, tzinfo=UTC)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, authorization: str) -> tuple[int, dict[str, Any]]:
        barrier = self.wait
        if barrier is not None:
            barrier.wait(AMPLE)
        with self.lock:
            self.fetched.append(authorization)
            if self.refuses:
                return self.refuses, {}
            token = f"app-{len(self.fetched)}"
            self.alive.add(token)
            lasting = {} if self.lifetime is None else {"expires_in": self.lifetime}
            return 200, {"access_token": token, "token_type": "bearer", **lasting}

    def call(self, authorization: str) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.calls.append(authorization)
            return (200 if authorization.removeprefix("Bearer ") in self.alive else 401), {}


@pytest.fixture
def server() -> Iterator[Acme]:
    acme = Acme()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            respond = acme.token if self.path == "/app" else acme.call
            status, document = respond(self.headers.get("Authorization", ""))
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    acme.port = listening.server_port
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield acme
    listening.shutdown()
    thread.join()
    listening.server_close()


class Client:
    """What makes calls, as a job's workers do."""

    def __init__(self, server: Acme) -> None:
        self.profile = Profile(FACTS, f"http://127.0.0.1:{server.port}")
        self.clock = lambda: server.now
        self.tokens = ApplicationTokens(self.profile, self.clock)

    def prepare(self, given: Given = GIVEN, action: Action = Action.SWAP) -> Prepared:
        wire = HttpWire(timeout=AMPLE, clock=self.clock)
        try:
            return self.tokens.prepare(self.profile.request(action, given), given, wire)
        finally:
            wire.close()

    def call(self, given: Given = GIVEN) -> tuple[Answer | NoAnswer, Outcome | None]:
        prepared = self.prepare(given)
        wire = HttpWire(timeout=AMPLE, clock=self.clock)
        try:
            return self.tokens.send(prepared, wire)
        finally:
            wire.close()


def status_of(said: tuple[Answer | NoAnswer, Outcome | None]) -> int:
    answer, outcome = said
    assert outcome is None
    assert isinstance(answer, Answer)
    return answer.status


@pytest.fixture
def client(server: Acme) -> Client:
    return Client(server)


def test_a_call_that_needs_no_token_fetches_none(client: Client, server: Acme) -> None:
    prepared = client.prepare(action=Action.REFRESH)
    assert (prepared.token, prepared.missing, server.fetched) == (None, None, [])
    assert prepared.request == client.profile.request(Action.REFRESH, GIVEN)


def test_a_token_is_fetched_before_the_call_and_kept(client: Client, server: Acme) -> None:
    prepared = client.prepare()
    assert isinstance(prepared.request.auth, Bearer)
    assert (len(server.fetched), server.calls) == (1, [])
    assert [status_of(client.call()) for _ in range(3)] == [200, 200, 200]
    assert (len(server.fetched), server.calls) == (1, ["Bearer app-1"] * 3)
    assert server.fetched[0].startswith("Basic ")
    assert "app-1" not in repr(prepared)


def test_many_workers_share_one_token(client: Client, server: Acme) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: status_of(client.call()), range(24)))
    assert (statuses, len(server.fetched)) == ([200] * 24, 1)


class CountedLock:
    """A lock that knows how many have asked for it."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self.asked.release()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_workers_that_wait_for_a_fetch_share_its_failure(
    client: Client, server: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = CountedLock()
    monkeypatch.setattr("migrator.engine.application_token._Client", lambda: _Client(lock))  # type: ignore[arg-type]
    server.refuses = 503
    server.wait = threading.Barrier(2)
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(client.call) for _ in range(6)]
        assert all(lock.asked.acquire(timeout=AMPLE) for _ in calls)
        server.wait.wait(AMPLE)
        server.wait = None
        found = [call.result(AMPLE) for call in calls]
    assert {outcome for _, outcome in found} == {Later("http_503", scope="app")}
    assert (len(server.fetched), server.calls) == (1, [])


@pytest.mark.parametrize(("after", "fetched"), [(3600 - 61, 1), (3600 - 60, 2)])
def test_a_token_that_ends_within_a_minute_is_fetched_anew(
    client: Client, server: Acme, after: int, fetched: int
) -> None:
    client.call()
    server.now += timedelta(seconds=after)
    assert status_of(client.call()) == 200
    assert len(server.fetched) == fetched


def test_a_token_without_a_lifetime_is_kept_until_it_is_refused(client: Client, server: Acme) -> None:
    server.lifetime = None
    client.call()
    server.now += timedelta(minutes=30)
    assert status_of(client.call()) == 200
    server.alive.clear()
    answer, outcome = client.call()
    assert isinstance(answer, Answer)
    assert (answer.status, outcome) == (401, Later(REFUSED, scope="app"))
    assert status_of(client.call()) == 200
    assert (len(server.fetched), server.calls[-1]) == (2, "Bearer app-2")


def test_the_refusal_of_a_token_just_fetched_is_what_the_profile_says_of_it(
    client: Client, server: Acme
) -> None:
    client.prepare()
    server.alive.clear()
    assert status_of(client.call()) == 401
    assert status_of(client.call()) == 200
    assert len(server.fetched) == 2


def test_who_is_refused_late_does_not_throw_away_what_came_since(client: Client, server: Acme) -> None:
    slow = client.prepare()
    server.alive.clear()
    assert status_of(client.call()) == 401
    assert status_of(client.call()) == 200
    wire = HttpWire(timeout=AMPLE, clock=client.clock)
    assert status_of(client.tokens.send(slow, wire)) == 401
    wire.close()
    assert status_of(client.call()) == 200
    assert len(server.fetched) == 2


@pytest.mark.parametrize(("status", "kind"), [(401, StopAll), (503, Later)])
def test_without_a_token_nothing_is_sent_and_no_connection_is_blamed(
    client: Client, server: Acme, status: int, kind: type
) -> None:
    server.refuses = status
    answer, outcome = client.call()
    assert isinstance(outcome, kind)
    assert isinstance(outcome, StopAll | Later)
    assert answer == NoAnswer(sent=False, problem=outcome.problem)
    assert isinstance(outcome, StopAll) or outcome.scope == "app"
    assert server.calls == []
    server.refuses = 0
    assert status_of(client.call()) == 200


def test_each_client_has_a_token_of_its_own(client: Client, server: Acme) -> None:
    other = replace(GIVEN, credentials=replace(CREDENTIALS, client_id="other"))
    for given in (GIVEN, other, GIVEN, other):
        assert status_of(client.call(given)) == 200
    assert server.calls == ["Bearer app-1", "Bearer app-2", "Bearer app-1", "Bearer app-2"]
    assert len(set(server.fetched)) == 2
