"""Tumblr's limits, which all calls share, and its 503."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from migrator.sandbox.http.limits import Limit
from migrator.sandbox.http.messages import Call
from migrator.sandbox.http.rate_limits import RateLimits, in_force
from migrator.sandbox.state.clock import Clock
from migrator.sandbox.state.state_file import State
from migrator.sandbox.tumblr.rate_limits import RULES, tell
from tests.sandbox.application import Row
from tests.sandbox.tumblr.conftest import StartTumblr
from tests.sandbox.tumblr.support import EXCHANGE, INFO, TumblrClient, error

MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True)
class Limiter:
    """Tumblr's limits on a clock that can be moved on, without the calls."""

    clock: Clock
    limits: RateLimits

    def let_in(self, calls: int) -> int:
        """How many of so many calls of one address are let in."""
        call = Call("GET", INFO.encode(), "tumblr", {}, address="192.0.2.1")
        admitted = 0
        for _ in range(calls):
            with self.limits.admitting(call) as admission:
                admitted += admission.refusal is None
        return admitted


@pytest.fixture
def limiter(state: Path) -> Iterator[Limiter]:
    """The limits, of which no call was made yet."""
    with closing(State(state)) as opened:
        clock = Clock(opened)
        yield Limiter(clock, RateLimits(clock, RULES, tell))


def fill(client: TumblrClient, calls: int) -> set[int]:
    """So many calls, refused for what they are: the statuses."""
    return {client.session.get(client.base_url + INFO).status_code for _ in range(calls)}


def test_which_limits_there_are() -> None:
    key, address = [
        [r for r in RULES if (r.subject is RULES[0].subject) is of_key] for of_key in (True, False)
    ]
    assert [(rule.limit, rule.calendar) for rule in key] == [
        (Limit(1_000, HOUR), False),
        (Limit(5_000, DAY), True),
    ]
    assert [(rule.limit, rule.calendar) for rule in address] == [
        (Limit(300, MINUTE), False),
        (Limit(18_000, HOUR), False),
        (Limit(432_000, DAY), False),
    ]


def test_calls_of_every_kind_count_together(client: TumblrClient, row: Row) -> None:
    pair = client.exchange(row).json()
    assert client.info(pair["access_token"]).status_code == 200
    assert client.renewed(pair["refresh_token"]).status_code == 200
    assert fill(client, 297) == {401}
    for refused in (client.exchange(row), client.info("x"), client.renewed("x")):
        assert error(refused) == 429
        assert not {name for name in refused.headers if "limit" in name.lower() or name == "Retry-After"}
    assert client.stats()["requests_refused_429"] == 3
    client.advance(MINUTE)
    assert fill(client, 1) == {401}


def test_the_hour_of_the_key_slides(limiter: Limiter) -> None:
    for _ in range(3):
        assert limiter.let_in(300) == 300
        limiter.clock.advance(MINUTE)
    assert limiter.let_in(300) == 100
    limiter.clock.advance(HOUR - 4 * MINUTE)
    assert limiter.let_in(1) == 0
    limiter.clock.advance(MINUTE)
    assert limiter.let_in(1000) == 300


def test_the_day_of_the_key_ends_at_midnight(limiter: Limiter) -> None:
    limiter.clock.advance(DAY - limiter.clock.now() % DAY + 12 * HOUR)
    for _ in range(5):
        for _ in range(4):
            assert limiter.let_in(250) == 250
            limiter.clock.advance(MINUTE)
        limiter.clock.advance(HOUR)
    limiter.clock.advance(6 * HOUR)
    assert limiter.let_in(1) == 0
    limiter.clock.advance(HOUR)  # and a sliding day would not be over
    assert limiter.let_in(300) == 300


def test_one_limit_can_be_ordered_in_their_place(start: StartTumblr, row: Row) -> None:
    (rule,) = in_force(RULES, Limit(2, MINUTE))
    assert (rule.subject, rule.calendar) == (RULES[0].subject, False)
    client = start("limit=2/min")
    assert fill(client, 2) == {401}
    assert error(client.exchange(row)) == 429
    client.advance(MINUTE)
    assert client.exchange(row).status_code == 200


@pytest.mark.parametrize("path", [EXCHANGE, INFO])
def test_a_503_in_the_envelope(start: StartTumblr, row: Row, path: str) -> None:
    client = start("http-503=1")
    assert error(client.send(row, "POST" if path == EXCHANGE else "GET", path)) == 503
