"""A legacy token that is renewed once, and only after the provider has refused it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator.models import Action
from tests.shapes.journey import Journey, journey
from tests.shapes.server import Arrived, Provider, Reply, of_json
from tests.shapes.signatures import SignedCalls


class Ferry(Provider):
    """A renewal ends the token before it; one that has not ended is not renewed."""

    name = "ferry"

    def __init__(self) -> None:
        super().__init__()
        self.signed = SignedCalls(self, "HMAC-SHA1")
        self.ended: set[str] = set()
        """Legacy tokens that have ended."""
        self.renewed: list[str] = []
        """Users, in order."""
        self.hopeless: set[str] = set()
        """Users whose renewed tokens have ended, too."""

    def answer(self, call: Arrived) -> Reply | None:
        token = self.signed.token_of(call)
        user = self.users.get(token, "")
        if not user or call.method != "POST":
            return self.refuse(call, of_json(401, {"error": "token_rejected"}))
        if call.path == "/renew":
            if token not in self.ended or user in self.renewed:
                return self.refuse(call, of_json(401, {"error": "token_rejected"}))
            return self._renew(token, user)
        self.asked[user] += 1
        if token in self.ended:
            return of_json(401, {"error": "token_expired"})
        return of_json(200, {"access_token": self.new("access", user), "token_type": "Bearer"})

    def _renew(self, token: str, user: str) -> Reply:
        self.renewed.append(user)
        row = self.issue(user)
        del self.users[token]
        if user in self.hopeless:
            self.ended.add(row["oauth_token"])
        return of_json(200, {"key": row["oauth_token"], "secret": row["oauth_token_secret"]})


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Journey]:
    """Three users, the token of the second of whom has ended."""
    ferry = Ferry()
    with journey(tmp_path / "way", ferry) as made:
        made.write([ferry.issue(user) for user in ("ada", "bo", "cy")])
        ferry.ended.add(ferry.token_of("bo"))
        yield made


def ferry_of(way: Journey) -> Ferry:
    assert isinstance(way.provider, Ferry)
    return way.provider


def test_a_token_that_was_refused_is_renewed_and_then_swapped(way: Journey) -> None:
    way.done("run", "tokens.csv")
    assert set(way.standing().values()) == {("migrated", "")}
    assert [action for action, _, _ in way.attempts("bo")] == ["swap", "renew", "swap"]
    assert [action for action, _, _ in way.attempts("ada")] == ["swap"]
    assert ferry_of(way).renewed == ["bo"]
    assert way.provider.unexpected == []
    way.assert_no_secret_on_disk()


def test_one_that_is_refused_again_is_its_users_matter(way: Journey) -> None:
    ferry_of(way).hopeless.add("bo")
    way.done("run", "tokens.csv")
    assert way.standing()["bo"] == ("needs_consent", "token_expired")
    assert ferry_of(way).renewed == ["bo"]


@pytest.mark.parametrize("step", ["before intent", "after commit"])
def test_a_renewal_is_on_disk_before_it_is_used(way: Journey, step: str) -> None:
    way.kill_at(step, Action.RENEW, 1, "run", "tokens.csv", "--concurrency", "1")
    way.passed = way.provider.ahead = 60.0
    way.done("resume")
    assert set(way.standing().values()) == {("migrated", "")}
    assert ferry_of(way).renewed == ["bo"]
    assert way.provider.unexpected == []
