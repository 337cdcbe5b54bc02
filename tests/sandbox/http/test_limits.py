"""The limit of an application: with the time passed in, and over HTTP."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.sandbox.http.app import ROUTES
from migrator.sandbox.http.faults import Limit
from migrator.sandbox.http.limits import Room, SlidingWindow
from migrator.sandbox.xero import rate_limits
from migrator.sandbox.xero.migrate_intuit import migrate_intuit
from tests.sandbox.conftest import Start
from tests.sandbox.support import Client, Row

LEFT = "X-AppMinLimit-Remaining"


def test_room_comes_back_as_calls_grow_old() -> None:
    window = SlidingWindow(Limit(2, 60.0, "appminute"))
    assert window.take(0.0) == Room(granted=True, remaining=1)
    assert window.take(30.5) == Room(granted=True, remaining=0)
    assert window.take(31.0) == Room(granted=False, remaining=0, retry_after=29)
    assert window.take(59.9) == Room(granted=False, remaining=0, retry_after=1)
    assert window.take(60.0) == Room(granted=True, remaining=0)
    assert window.take(61.0) == Room(granted=False, remaining=0, retry_after=30)
    assert [window.left(now) for now in (90.4, 90.5, 90.5, 120.0)] == [0, 1, 1, 2]  # to ask counts nothing


@given(st.integers(1, 5), st.lists(st.floats(0, 20), max_size=60))
def test_never_more_than_the_limit_in_any_stretch(calls: int, gaps: list[float]) -> None:
    window = SlidingWindow(Limit(calls, 60.0, "appminute"))
    now = 0.0
    passed: deque[float] = deque()
    for gap in gaps:
        now += gap
        inside = [moment for moment in passed if moment > now - 60.0]
        room = window.take(now)
        assert room.granted == (len(inside) < calls)  # and a refused call does not count
        if room.granted:
            passed.append(now)
        else:
            assert inside[0] + 60.0 <= now + room.retry_after + 1e-6  # floats do not add up exactly


# Over HTTP


def test_every_answer_says_how_many_calls_are_left_of_ten_thousand(client: Client) -> None:
    left = 10_000
    for path, methods, endpoint in ROUTES:
        for method in methods:
            headers = client.session.request(method, client.base_url + path).headers
            if endpoint is migrate_intuit:  # Xero's limits are not Intuit's
                assert LEFT not in headers
            else:
                left -= 1
                assert headers[LEFT] == str(left), f"{method} {path}"
    assert left < 10_000 - len(ROUTES)


def test_the_witness_and_what_people_look_at_are_not_limited(client: Client) -> None:
    for path in ("/_sandbox/stats", "/oauth/Authorize", "/identity/connect/authorize"):
        assert LEFT not in client.session.get(client.base_url + path).headers
    assert client.connections("x").headers[LEFT] == "9999"


def test_who_makes_too_many_calls_is_refused_without_any_fault(
    start: Start, partner: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 10,000 calls would take a while.
    monkeypatch.setattr(rate_limits, "APPLICATION", Limit(2, 60.0, "appminute"))
    client = start()
    assert [client.connections("x").status_code for _ in range(2)] == [401, 401]
    refused = client.swap(partner)
    assert (refused.status_code, refused.headers["X-Rate-Limit-Problem"]) == (429, "appminute")
    assert refused.headers[LEFT] == "0"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    client.advance(60)
    assert client.swap(partner).status_code == 200


def test_a_limit_that_is_ordered_takes_the_place_of_the_usual_one(start: Start, partner: Row) -> None:
    assert start("limit=1000000/min").connections("x").headers[LEFT] == "999999"
    strict = start("limit=1/min")
    assert strict.swap(partner).headers[LEFT] == "0"
    assert strict.swap(partner, path="/v2/oauth2/tokens/migrate").status_code == 429  # it holds everywhere
