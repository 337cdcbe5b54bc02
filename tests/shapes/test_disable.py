"""A legacy token that we must disable: after its pair is on disk, and for all, whatever dies in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator.models import Action
from tests.shapes.journey import Journey, journey
from tests.shapes.server import Arrived, Provider, Reply, of_json
from tests.shapes.signatures import SignedCalls

USERS = ("ada", "bo", "cy")


def number_of(user: str) -> int:
    """By which the provider knows a user: from 1 on."""
    return USERS.index(user) + 1


class Mill(Provider):
    """Notes what the ledger held whenever a token was disabled."""

    name = "mill"
    lifetime = 30 * 86400

    def __init__(self) -> None:
        super().__init__()
        self.signed = SignedCalls(self, "HMAC-SHA1")
        self.way: Journey | None = None
        self.disabled: list[str] = []
        """Users, in order; again for one that had been disabled already."""
        self.too_early: list[str] = []
        """Users whose pair was not on disk when their token was disabled."""
        self.unwilling = 0
        """So many tokens more it does not disable: it is down."""
        self.silent = 0
        """So many more it disables without an answer."""

    def answer(self, call: Arrived) -> Reply | None:
        if call.path == "/me":
            user = self.access.get(call.bearer)
            return of_json(200, {"number": number_of(user)}) if user else of_json(401, {"error": "gone"})
        token = self.signed.token_of(call)
        user = self.users.get(token, "")
        if not user:
            return self.refuse(call, of_json(401, {"error": "unsigned"}))
        if call.path == "/legacy" and call.method == "DELETE":
            return self._disable(token, user)
        if token in self.dead:
            return of_json(401, {"error": "gone"})
        if call.path == "/whoami" and call.method == "GET":
            return of_json(200, {"user": {"number": number_of(user)}})
        self.asked[user] += 1
        pair = {"access_token": self.new("access", user), "token_type": "Bearer"}
        return of_json(200, pair, **{"X-Mill-Case": f"case-{user}"})

    def _disable(self, token: str, user: str) -> Reply | None:
        if self.unwilling:
            self.unwilling -= 1
            return of_json(503, {"error": "down"})
        self.disabled.append(user)
        assert self.way is not None
        if ("migrated",) not in self.way.query(_WITH_PAIR, user):
            self.too_early.append(user)
        if token in self.dead:
            return of_json(401, {"error": "gone"})
        self.dead.add(token)
        if self.silent:
            self.silent -= 1
            return None
        return of_json(200, {})


_WITH_PAIR = """
    SELECT c.state FROM connections c JOIN token_pairs p ON p.connection_id = c.id WHERE c.key = ?
"""


@pytest.fixture
def mill() -> Mill:
    return Mill()


@pytest.fixture
def way(tmp_path: Path, mill: Mill) -> Iterator[Journey]:
    """Three users."""
    with journey(tmp_path / "way", mill) as made:
        mill.way = made
        made.write([mill.issue(user) for user in USERS])
        yield made


def assert_all_done(way: Journey, mill: Mill) -> None:
    assert set(way.standing().values()) == {("migrated", "")}
    assert way.query("SELECT count(*) FROM connections WHERE disabled_at IS NULL") == [(0,)]
    assert mill.dead == set(mill.users), "all are disabled"
    assert mill.too_early == []
    assert dict(mill.asked) == dict.fromkeys(USERS, 1), "and each is swapped once"
    assert mill.unexpected == []


def test_each_is_asked_for_swapped_and_then_disabled(way: Journey, mill: Mill) -> None:
    way.done("run", "tokens.csv", "--canary", "1")
    assert_all_done(way, mill)
    assert sorted(mill.disabled) == sorted(USERS)
    for number, user in enumerate(USERS, start=1):
        actions = [action for action, _, _ in way.attempts(user) if action != "verify"]
        assert actions == ["identify", "swap", "disable"]
        assert way.query("SELECT user_id FROM connections WHERE key = ?", user) == [(str(number),)]
        said = way.query(
            "SELECT support_id FROM attempts a JOIN connections c ON c.id = a.connection_id"
            " WHERE c.key = ? AND action = 'swap'",
            user,
        )
        assert said == [(f"case-{user}",)]
    way.done("run", "tokens.csv")
    assert len(mill.disabled) == len(USERS), "nobody is disabled twice"
    way.assert_no_secret_on_disk()


@pytest.mark.parametrize(
    ("step", "action", "number"),
    [
        ("after commit", Action.IDENTIFY, 2),
        ("after commit", Action.SWAP, 2),
        ("after commit", Action.SWAP, 3),
        ("after intent", Action.DISABLE, 1),
        ("after answer", Action.DISABLE, 2),
        ("before commit", Action.DISABLE, 3),
    ],
)
def test_what_dies_in_between_is_disabled_later(
    way: Journey, mill: Mill, step: str, action: Action, number: int
) -> None:
    way.kill_at(step, action, number, "run", "tokens.csv", "--concurrency", "1")
    way.passed = mill.ahead = 60.0
    way.done("resume")
    assert_all_done(way, mill)


def test_one_whose_answer_was_lost_is_asked_for_again(way: Journey, mill: Mill) -> None:
    mill.silent = 1
    way.done("run", "tokens.csv")
    assert_all_done(way, mill)
    assert len(mill.disabled) == len(USERS) + 1


def test_a_provider_that_is_down_for_a_while_has_them_all_disabled_in_the_end(
    way: Journey, mill: Mill
) -> None:
    mill.unwilling = 2
    way.done("run", "tokens.csv")
    assert_all_done(way, mill)


def test_a_legacy_token_that_should_have_ended_and_has_not_is_no_success(way: Journey, mill: Mill) -> None:
    way.configure(max_attempts=1)
    mill.unwilling = len(USERS)
    way.done("run", "tokens.csv", code=1)
    assert way.states() == {"migrated": len(USERS)}
    way.done("resume")
    assert_all_done(way, mill)


def test_a_legacy_token_is_not_ended_while_its_pair_is_less_than_it_was(way: Journey, mill: Mill) -> None:
    way.kill_at("after commit", Action.SWAP, 3, "run", "tokens.csv", "--concurrency", "1")
    way.alter("UPDATE connections SET reason = 'scope_missing' WHERE id = 1")
    way.done("resume")
    assert len(mill.disabled) == len(USERS) - 1
    assert way.query("SELECT disabled_at FROM connections WHERE id = 1") == [(None,)]


def test_a_pair_that_was_handed_over_does_not_save_its_legacy_token(way: Journey, mill: Mill) -> None:
    way.kill_at("after commit", Action.SWAP, 3, "run", "tokens.csv", "--concurrency", "1")
    assert mill.disabled == []
    assert len(way.exported()) == len(USERS)
    way.done("resume")
    assert_all_done(way, mill)
