"""The clock that is moved on instead of waited for."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time

import jwt
import pytest
import requests

from migrator.sandbox import SandboxError, issue_tokens, running, stats
from migrator.sandbox.http import app
from migrator.sandbox.state.clock import LONGEST_ADVANCE
from tests.sandbox.application import Row
from tests.sandbox.conftest import Start
from tests.sandbox.support import Client, at, problem

HOUR = 3600


def ahead(answer: requests.Response) -> float:
    """Seconds by which an answer's ``Date`` is ahead of the real time."""
    return parsedate_to_datetime(answer.headers["Date"]).timestamp() - time()


def told(client: Client, **request: object) -> requests.Response:
    """The answer to what the sandbox is told of its clock."""
    return client.session.post(f"{client.base_url}/_sandbox/clock", **request)  # type: ignore[arg-type]


def test_everything_follows_the_clock(client: Client, partner: Row, state: Path) -> None:
    old = client.swap(partner).json()
    client.advance(2 * HOUR)
    assert client.connections(old["access_token"]).json()["Detail"] == "TokenExpired"
    answer = client.swap(partner)
    assert problem(answer) == "timestamp_refused"
    assert ahead(answer) == pytest.approx(2 * HOUR, abs=60)
    assert client.swap(partner, timestamp=at(2 * HOUR)).json() == {"errors": ["The access token has expired"]}
    fresh = client.refresh(old["refresh_token"]).json()["access_token"]
    claims = jwt.decode(fresh, options={"verify_signature": False})
    assert claims["nbf"] == pytest.approx(time() + 2 * HOUR, abs=60)
    assert client.connections(fresh).status_code == 200
    row = next(issue_tokens(state, 1, "partner=1", expired=0))
    ends = datetime.fromisoformat(row["oauth_expires_at"]) - datetime.now(UTC)
    assert ends.total_seconds() == pytest.approx(2.5 * HOUR, abs=60)


def test_advances_add_up_and_survive_a_restart(start: Start, state: Path) -> None:
    client = start()
    client.advance(1.5 * HOUR)
    assert told(client, json={"advance_seconds": HOUR}).json() == {"advanced_seconds": 2.5 * HOUR}
    again = start()
    assert ahead(again.connections("x")) == pytest.approx(2.5 * HOUR, abs=60)
    assert again.stats()["clock_advanced_seconds"] == stats(state)["clock_advanced_seconds"] == 2.5 * HOUR


def test_an_advance_comes_on_top_of_a_skew_and_a_skew_is_not_kept(start: Start) -> None:
    skewed = start("clock-skew=-600s")
    skewed.advance(HOUR)
    assert ahead(skewed.connections("x")) == pytest.approx(HOUR - 600, abs=60)
    assert ahead(start().connections("x")) == pytest.approx(HOUR, abs=60)


def test_tests_in_the_same_process_advance_it_too(state: Path) -> None:
    with running(state) as sandbox:
        sandbox.advance(HOUR)
        assert sandbox.stats()["clock_advanced_seconds"] == HOUR
        with pytest.raises(SandboxError, match="-1 seconds"):
            sandbox.advance(-1)


def test_an_advance_refills_the_limit(start: Start) -> None:
    client = start("limit=1/hour")
    assert [client.connections("x").status_code for _ in range(2)] == [401, 429]
    client.advance(HOUR)
    assert client.connections("x").status_code == 401


@pytest.mark.parametrize(
    "request_",
    [
        {"json": {"advance_seconds": -1}},
        {"json": {"advance_seconds": LONGEST_ADVANCE + 1}},
        {"json": {"advance_seconds": "60"}},
        {"json": {"advance_seconds": True}},
        {"json": {}},
        {"json": [60]},
        {"data": b'{"advance_seconds": NaN}', "headers": {"Content-Type": "application/json"}},
        {"data": b"{", "headers": {"Content-Type": "application/json"}},
        {"data": {"advance_seconds": "60"}},
    ],
)
def test_what_is_no_advance_moves_nothing(client: Client, request_: dict[str, object]) -> None:
    answer = told(client, **request_)
    assert answer.status_code == (415 if isinstance(request_.get("data"), dict) else 400)
    assert answer.json()["error"] == "invalid_request"
    assert client.stats()["clock_advanced_seconds"] == 0


def test_faults_and_the_witness_leave_the_control_alone(start: Start) -> None:
    client = start("http-503=1", "limit=1/day")
    for _ in range(3):
        client.advance(1)
    assert client.stats()["requests"] == {}


def test_who_is_elsewhere_may_not_move_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere:
        is_loopback = False

    monkeypatch.setattr(app, "ip_address", lambda _: Elsewhere())
    assert told(client, json={"advance_seconds": 1}).status_code == 403
    monkeypatch.undo()
    assert client.stats()["clock_advanced_seconds"] == 0
