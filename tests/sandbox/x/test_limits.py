"""X's limit of exchanges, and its 503."""

from __future__ import annotations

import pytest
import requests
from requests.adapters import HTTPAdapter

from migrator.sandbox.http.limits import Limit
from migrator.sandbox.http.rate_limits import in_force
from migrator.sandbox.x.rate_limits import RULES
from tests.sandbox.application import Row
from tests.sandbox.x.conftest import StartX
from tests.sandbox.x.support import XClient, error

NAMES = ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset")


def test_every_exchange_says_what_is_left_of_ten_thousand(client: XClient, row: Row) -> None:
    answers = [client.exchange(row), client.exchange(row, {"scope": "space.read"})]
    assert [[answer.headers[name] for name in NAMES[:2]] for answer in answers] == [
        ["10000", "9999"],
        ["10000", "9998"],
    ]
    pair = client.exchange(row).json()
    for other in (client.refresh(pair["refresh_token"]), client.me("x"), client.revoke({"token": "x"})):
        assert not other.headers.keys() & set(NAMES)


def test_over_the_limit_x_says_when_to_come_again(start: StartX, row: Row) -> None:
    client = start("limit=2/15min")
    first = [client.exchange(row) for _ in range(2)][-1]
    refused = client.exchange(row)
    assert error(refused) == (429, "rate_limited")
    assert refused.headers["x-rate-limit-remaining"] == "0"
    reset = int(refused.headers["x-rate-limit-reset"])
    assert abs(reset - int(first.headers["x-rate-limit-reset"])) <= 1
    assert client.stats()["requests_refused_429"] == 1
    assert client.refresh(first.json()["refresh_token"]).status_code == 200  # which is not limited
    client.advance(900)
    assert client.exchange(row).status_code == 200


def test_its_window_is_of_fifteen_minutes() -> None:
    (rule,) = in_force(RULES, None)
    assert (rule.limit, rule.calendar) == (Limit(10_000, 900.0), False)


class _From(HTTPAdapter):
    """Calls from another address of this machine."""

    def init_poolmanager(self, *arguments: object, **named: object) -> None:
        super().init_poolmanager(*arguments, **{**named, "source_address": ("127.0.0.2", 0)})  # type: ignore[arg-type]


def test_each_address_has_a_limit_of_its_own(start: StartX, row: Row) -> None:
    client = start("limit=1/min")
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", _From())
        elsewhere = XClient(client.base_url, client.known, session)
        assert [one.exchange(row).status_code for one in (client, elsewhere)] == [200, 200]
        assert [one.exchange(row).status_code for one in (client, elsewhere)] == [429, 429]


@pytest.mark.parametrize("path", ["/2/oauth2/token", "/2/oauth2/revoke"])
def test_a_503_in_its_own_words(start: StartX, path: str) -> None:
    client = start("http-503=1")
    assert error(client.session.post(client.base_url + path)) == (503, "temporarily_unavailable")
