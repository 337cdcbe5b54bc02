"""The limit of an application, over HTTP."""

from __future__ import annotations

import pytest

from migrator.sandbox.http.limits import Limit
from migrator.sandbox.xero import rate_limits
from migrator.sandbox.xero.migrate_intuit import migrate_intuit
from migrator.sandbox.xero.routes import ROUTES
from tests.sandbox.application import Row
from tests.sandbox.conftest import Start
from tests.sandbox.support import Client

LEFT = "X-AppMinLimit-Remaining"


@pytest.mark.parametrize(
    ("seconds", "word"), [(1.0, "appminute"), (60.0, "appminute"), (3600.0, "appminute"), (86400.0, "day")]
)
def test_which_limit_it_is_that_was_reached(seconds: float, word: str) -> None:
    assert rate_limits.application_problem(Limit(5, seconds)) == word


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
    monkeypatch.setattr(rate_limits, "APPLICATION", Limit(2, 60.0))
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
