"""Which calls a fault hits, and each fault over real HTTP."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time
from urllib.parse import parse_qs

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from migrator.sandbox import credentials, issue_tokens, running, stats
from migrator.sandbox.http.fault_injection import CallFault, FaultInjector
from migrator.sandbox.http.faults import Faults, parse_faults
from migrator.sandbox.http.late_calls import LateCalls
from migrator.sandbox.state.swaps import Repeat
from tests.sandbox.application import Row
from tests.sandbox.conftest import Start
from tests.sandbox.support import Client, at, problem, renewed

AfterTheSwap = Callable[[Client], list[Callable[[], requests.Response]]]


def test_the_same_seed_gives_the_same_faults() -> None:
    faults = parse_faults(["drop-response=0.2", "http-503=0.2", "garbage=0.2", "late=0.2"])
    first, second, other = FaultInjector(faults, 7), FaultInjector(faults, 7), FaultInjector(faults, 8)
    chosen = [first.choose() for _ in range(200)]
    assert chosen == [second.choose() for _ in range(200)]
    assert chosen != [other.choose() for _ in range(200)]
    assert set(chosen) == set(CallFault)


def test_faults_happen_as_often_as_ordered() -> None:
    injector = FaultInjector(parse_faults(["drop-response=0.2", "http-503=0.1"]), 1)
    counts = Counter(injector.choose() for _ in range(10_000))
    assert 900 < counts[CallFault.HTTP_503] < 1100
    assert 1650 < counts[CallFault.DROP_RESPONSE] < 1950  # of the nine tenths that pass
    assert counts[CallFault.LATE] == counts[CallFault.GARBAGE] == 0


@given(st.integers(), st.binary(max_size=40))
def test_garbage_is_never_a_whole_answer(seed: int, text: bytes) -> None:
    body = json.dumps({"access_token": text.hex(), "refresh_token": text.hex()}).encode()
    garbled = FaultInjector(Faults(), seed).garble(body)
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        json.loads(garbled)
    token, secret = "T" * 30, "S" * 30
    form = (
        f"oauth_token={token}&oauth_token_secret={secret}&oauth_expires_in=1800&oauth_session_handle={token}"
    )
    assert b"oauth_token_secret=" not in FaultInjector(Faults(), seed).garble(form.encode())


# Over HTTP


def test_http_503_has_no_effect(start: Start, partner: Row, expired: Row) -> None:
    client = start("http-503=1")
    for answer in (client.swap(partner), client.renew(expired)):
        assert (answer.status_code, problem(answer)) == (503, "rate limit exceeded")
    assert client.refresh("any").status_code == 503
    assert client.connections("any").status_code == 503
    facts = client.stats()
    assert (facts["swaps_issued"], facts["renewals"]) == (0, 0)
    assert facts["faults"] == {"http-503": 4}
    assert facts["requests"] == {"503": 4}


def test_drop_response_takes_full_effect_without_a_byte(start: Start, partner: Row, expired: Row) -> None:
    client = start("drop-response=1")
    for call in (client.swap, client.renew):
        with pytest.raises(requests.ConnectionError):
            call(partner if call == client.swap else expired)
    facts = client.stats()
    assert (facts["swaps_issued"], facts["renewals"], facts["pairs_working"]) == (1, 1, 1)
    assert facts["faults"] == {"drop-response": 2}
    assert problem(start().renew(expired)) == "token_rejected"


def test_a_dropped_connection_carries_nothing(start: Start) -> None:
    client = start("drop-response=1")
    host, port = client.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"GET /connections HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert connection.recv(1) == b""


def test_a_dropped_refresh_used_the_token_up(start: Start, partner: Row) -> None:
    pair = start().swap(partner).json()
    with pytest.raises(requests.ConnectionError):
        start("drop-response=1").refresh(pair["refresh_token"])
    sound = start()
    assert sound.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert sound.stats()["refreshes_issued"] == 1


def test_garbage_takes_effect_under_a_200(start: Start, state: Path) -> None:
    client = start("garbage=1", seed=3)
    rows = list(issue_tokens(state, 12, "partner=1", expired=0))
    for row in rows[:10]:
        answer = client.swap(row)
        assert answer.status_code == 200
        with pytest.raises(ValueError):  # noqa: PT011
            json.loads(answer.content)
    for row in rows[10:]:
        answer = client.renew(row)
        assert answer.status_code == 200
        assert "oauth_token_secret" not in parse_qs(answer.content.decode(errors="replace"))
    facts = client.stats()
    assert (facts["swaps_issued"], facts["renewals"], facts["faults"]) == (10, 2, {"garbage": 12})


def test_a_late_call_is_carried_out_after_the_client_gave_up(state: Path, partner: Row) -> None:
    with running(state, ["late=1:1h"]) as sandbox, requests.Session() as session:
        client = Client(sandbox.base_url, credentials(state), session)
        with pytest.raises(requests.ConnectionError):
            client.swap(partner)
        assert sandbox.stats()["swaps_issued"] == 0
        assert sandbox.stats()["faults"] == {"late": 1}
    assert stats(state)["swaps_issued"] == 1  # a graceful stop carries out what is late
    assert stats(state)["pairs_working"] == 1


def test_late_calls_are_made_in_time_and_in_order() -> None:
    late_calls, done = LateCalls(), threading.Event()
    order: list[str] = []
    late_calls.after(3600, lambda: order.append("last"))
    late_calls.after(0.02, done.set)
    late_calls.after(0.01, lambda: order.append("second"))
    late_calls.after(0, lambda: order.append("first"))
    assert done.wait(timeout=30)
    assert order == ["first", "second"]
    late_calls.close()
    assert order == ["first", "second", "last"]


def test_latency_holds_up_every_answer(start: Start, partner: Row) -> None:
    client = start("latency=100ms")
    # A lower bound, which a slow machine cannot break.
    assert client.swap(partner).elapsed.total_seconds() >= 0.1
    assert client.connections("x").elapsed.total_seconds() >= 0.1


def test_clock_skew_shows_in_the_date_and_refuses_honest_timestamps(start: Start, partner: Row) -> None:
    client = start("clock-skew=600s")
    answer = client.swap(partner)
    assert problem(answer) == "timestamp_refused"
    ahead = parsedate_to_datetime(answer.headers["Date"]).timestamp() - time()
    assert 590 < ahead < 610
    assert client.swap(partner, timestamp=at(600)).status_code == 200


def test_faults_leave_the_witness_alone(start: Start) -> None:
    client = start("http-503=1", "limit=1/day")
    for _ in range(3):
        assert client.session.get(f"{client.base_url}/_sandbox/stats").status_code == 200


def test_a_limit_refuses_with_429_and_says_when_to_come_again(start: Start, state: Path) -> None:
    client = start("limit=3/hour")
    row, *others = issue_tokens(state, 4, "partner=1", expired=0)
    remaining = [client.swap(row).headers["X-AppMinLimit-Remaining"]]
    remaining += [client.renew(other).headers["X-AppMinLimit-Remaining"] for other in others[:2]]
    assert remaining == ["2", "1", "0"]
    for _ in range(2):
        refused = client.swap(others[2])
        assert refused.status_code == 429
        assert refused.headers["X-Rate-Limit-Problem"] == "appminute"
        assert refused.headers["X-AppMinLimit-Remaining"] == "0"
        assert 1 <= int(refused.headers["Retry-After"]) <= 3600
    facts = client.stats()
    assert facts["requests_refused_429"] == 2
    assert facts["requests"] == {"200": 3, "429": 2}
    assert facts["swaps_issued"] == 1


def test_a_limit_a_day_is_named_so(start: Start, partner: Row) -> None:
    client = start("limit=1/day")
    client.swap(partner)
    assert client.swap(partner).headers["X-Rate-Limit-Problem"] == "day"


def test_random_faults_also_hit_renewals_and_refreshes(start: Start, state: Path) -> None:
    client = start("http-503=0.5", seed=5)
    rows = list(issue_tokens(state, 20, "partner=1"))
    assert {client.renew(row).status_code for row in rows} == {200, 503}
    assert {client.refresh("unknown").status_code for _ in rows} == {400, 503}


def test_a_renewed_token_after_faults_is_still_whole(start: Start, expired: Row) -> None:
    client = start("http-503=0.5", seed=1)
    answers = iter(lambda: client.renew(expired), None)
    fresh = renewed(expired, next(answer for answer in answers if answer.status_code == 200))
    assert start().swap(fresh).status_code == 200


@pytest.fixture
def after_the_swap(state: Path, partner: Row) -> AfterTheSwap:
    """Each kind of call that a client makes with a pair, in an order in which all of them succeed."""
    with running(state) as sandbox, requests.Session() as session:
        client = Client(sandbox.base_url, credentials(state), session)
        pair = client.swap(partner).json()
        (connection,) = client.connections(pair["access_token"]).json()

    def calls(client: Client) -> list[Callable[[], requests.Response]]:
        return [
            lambda: client.connections(pair["access_token"]),
            lambda: client.organisation(pair["access_token"], partner["tenant_id"]),
            lambda: client.disconnect(pair["access_token"], connection["id"]),
            lambda: client.refresh(pair["refresh_token"]),
            lambda: client.revoke(pair["access_token"]),
        ]

    return calls


def test_http_503_hits_every_call_with_a_pair(start: Start, after_the_swap: AfterTheSwap) -> None:
    client = start("http-503=1")
    assert [call().status_code for call in after_the_swap(client)] == [503] * 5
    facts = client.stats()
    assert (facts["refreshes_issued"], facts["disconnections"], facts["pairs_revoked"]) == (0, 0, 0)
    assert [call().status_code for call in after_the_swap(start())] == [200, 200, 204, 200, 200]


def test_drop_response_hits_every_call_with_a_pair(start: Start, after_the_swap: AfterTheSwap) -> None:
    client = start("drop-response=1")
    for call in after_the_swap(client):
        with pytest.raises(requests.ConnectionError):
            call()
    facts = client.stats()
    assert (facts["refreshes_issued"], facts["disconnections"], facts["pairs_revoked"]) == (1, 1, 1)
    assert facts["faults"] == {"drop-response": 5}


def test_garbage_hits_every_call_with_a_pair(start: Start, after_the_swap: AfterTheSwap) -> None:
    client = start("garbage=1")
    for call in after_the_swap(client):
        answer = call()
        assert answer.status_code == 200
        assert answer.content
        with pytest.raises(ValueError):  # noqa: PT011
            json.loads(answer.content)
    facts = client.stats()
    assert (facts["refreshes_issued"], facts["disconnections"], facts["pairs_revoked"]) == (1, 1, 1)


def test_a_late_call_with_a_pair_is_carried_out_in_the_end(
    start: Start, state: Path, after_the_swap: AfterTheSwap
) -> None:
    with running(state, ["late=1:1h"]) as sandbox, requests.Session() as session:
        for call in after_the_swap(Client(sandbox.base_url, credentials(state), session)):
            with pytest.raises(requests.ConnectionError):
                call()
        assert sandbox.stats()["refreshes_issued"] == 0
    facts = stats(state)
    assert (facts["refreshes_issued"], facts["disconnections"], facts["pairs_revoked"]) == (1, 1, 1)


def test_latency_and_limit_hit_every_call_with_a_pair(start: Start, after_the_swap: AfterTheSwap) -> None:
    client = start("latency=50ms", "limit=5/hour")
    answers = [call() for call in after_the_swap(client)]
    assert [answer.headers["X-AppMinLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0"]
    assert min(answer.elapsed.total_seconds() for answer in answers) >= 0.05
    assert {call().status_code for call in after_the_swap(client)} == {429}


@pytest.mark.parametrize("repeat", Repeat)
def test_repeat_concerns_swaps_only(start: Start, partner: Row, repeat: Repeat) -> None:
    client = start(f"repeat={repeat}")
    pair = client.swap(partner).json()
    fresh = client.refresh(pair["refresh_token"]).json()
    assert client.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.refresh(fresh["refresh_token"]).status_code == 200
    assert [client.connections(token["access_token"]).status_code for token in (pair, fresh)] == [200, 200]


def test_a_closed_exchange_swaps_no_more(start: Start, pair: dict[str, str], partner: Row) -> None:
    closed = start("exchange=closed")
    for path in ("/oauth/migrate?tenantType=ORGANISATION", "/V2/oauth2/tokens/migrate"):
        assert closed.swap(partner, path=path).status_code == 410
    assert closed.connections(pair["access_token"]).status_code == 200
    assert closed.renew(partner).status_code == 200
    assert closed.stats()["swaps_issued"] == 1
