"""Legacy tokens of providers without application types and tenants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from migrator.sandbox import MixError, credentials
from migrator.sandbox.issuing.interface import Order
from migrator.sandbox.issuing.plain import PlainTokens
from migrator.sandbox.state.clock import Clock
from migrator.sandbox.state.state_file import State

_numbers = count()
ENDLESS = PlainTokens(
    new_user_id=lambda: f"user-{next(_numbers)}",
    new_token=lambda user_id: f"token of {user_id}",
    new_secret=lambda: "secret",
)
YEARLY = PlainTokens(
    new_user_id=lambda: f"user-{next(_numbers)}",
    new_token=lambda user_id: f"token of {user_id}",
    new_secret=lambda: "secret",
    lifetime=365 * 86400,
)


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Clock]:
    credentials(tmp_path / "s.db", "x")
    with closing(State(tmp_path / "s.db")) as state:
        yield Clock(state)


def test_tokens_without_end(clock: Clock) -> None:
    rows = list(ENDLESS.invent(Order(count=5, seed=1), clock))
    assert {row.expires_at for row in rows} == {None}
    assert [row.token for row in rows] == [f"token of {row.user_id}" for row in rows]
    assert "oauth_expires_at" not in ENDLESS.columns
    assert not ENDLESS.choices
    again = [row.organisation for row in ENDLESS.invent(Order(count=5, seed=1), clock)]
    assert again == [row.organisation for row in rows]


def test_a_share_of_tokens_has_ended(clock: Clock) -> None:
    rows = list(YEARLY.invent(Order(count=10, expired=0.3), clock))
    over = [row for row in rows if row.expires_at is not None and row.expires_at < clock.now()]
    assert len(over) == 3
    assert YEARLY.columns[-1] == "oauth_expires_at"
    assert "expired" in YEARLY.choices
    with pytest.raises(MixError, match="between 0 and 1"):
        YEARLY.invent(Order(count=1, expired=2), clock)


@pytest.mark.parametrize(
    ("cells", "expires_at"),
    [
        ({}, 1000 + 365 * 86400),
        ({"oauth_expires_at": "5"}, 5),
        ({"oauth_expires_at": "1970-01-01T00:01:00Z"}, 60),
    ],
)
def test_a_token_out_of_a_file(cells: dict[str, str], expires_at: int) -> None:
    row = {"oauth_token": " t ", "oauth_token_secret": "s", "organisation": "Ann", **cells}
    legacy = YEARLY.read(row, 1000.0)
    assert legacy is not None
    assert (legacy.token, legacy.expires_at, legacy.user_id) == ("t", expires_at, "")
    without_end = ENDLESS.read(row, 1000.0)
    assert without_end is not None
    assert without_end.expires_at is None


@pytest.mark.parametrize(
    "flaw", [{"oauth_token": ""}, {"oauth_token_secret": ""}, {"oauth_expires_at": "soon"}]
)
def test_what_is_no_token(flaw: dict[str, str]) -> None:
    assert YEARLY.read({"oauth_token": "t", "oauth_token_secret": "s", **flaw}, 0.0) is None
