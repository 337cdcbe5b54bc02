"""The order of a cut-over: swap, store, deliver; only then does the next step follow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SetScene
from tests.handover.conftest import Live
from tests.handover.delivery.receivers import Application
from tests.postgres import Database
from tests.shapes.journey import Journey, journey
from tests.shapes.server import Reply
from tests.shapes.test_disable import USERS, Mill


class WatchedMill(Mill):
    """Notes whose token was disabled before the application had the pair."""

    def __init__(self, application: Application) -> None:
        super().__init__()
        self.application = application
        self.before_delivery: list[str] = []

    def _disable(self, token: str, user: str) -> Reply | None:
        if user not in self.application.taken():
            self.before_delivery.append(user)
        return super()._disable(token, user)


@pytest.fixture
def mill(application: Application) -> WatchedMill:
    return WatchedMill(application)


@pytest.fixture
def way(tmp_path: Path, mill: WatchedMill) -> Iterator[Journey]:
    with journey(tmp_path / "way", mill) as made:
        mill.way = made
        made.write([mill.issue(user) for user in USERS])
        yield made


def test_an_old_token_is_disabled_once_the_application_has_the_new_one(
    way: Journey, mill: WatchedMill, application: Application
) -> None:
    way.done("run", "tokens.csv", "--deliver", application.url)
    assert sorted(mill.disabled) == sorted(USERS)
    assert mill.before_delivery == []
    assert application.taken() == sorted(USERS)


def test_the_old_token_of_one_that_the_application_refused_lives_on_until_it_has_the_new_one(
    way: Journey, mill: WatchedMill, application: Application
) -> None:
    application.tell("refuse", "bo")
    way.done("run", "tokens.csv", "--deliver", application.url, code=1)
    assert sorted(mill.disabled) == ["ada", "cy"]
    way.done("resume", "--no-deliver")
    assert sorted(mill.disabled) == ["ada", "cy"], "nobody may end it: it is all that the application has"
    application.no_longer("refuse")
    way.done("resume", "--deliver", application.url)
    assert sorted(mill.disabled) == sorted(USERS)
    assert mill.before_delivery == []


def test_the_canarys_pairs_are_in_the_application_before_the_others_follow(
    set_scene: SetScene, postgres: Database
) -> None:
    scene = set_scene(12, mix="partner=1")
    ran = scene.migrator("run", "tokens.csv", "--canary", "2", "--deliver", postgres.url("pairs"))
    assert ran.returncode == 0, ran.stderr
    assert "each of 2 new access tokens works as it should, and the application has it" in ran.stderr
    assert postgres.execute("SELECT count(*) FROM pairs") == [(12,)]
    (of_canary,) = scene.query(
        "SELECT max(finished_at) FROM exports WHERE id = (SELECT min(id) FROM exports)"
    )
    (third,) = scene.query(
        "SELECT started_at FROM attempts WHERE action = 'swap' ORDER BY id LIMIT 1 OFFSET 2"
    )
    assert of_canary < third


def test_a_canary_that_the_application_does_not_take_stops_the_run(
    set_scene: SetScene, application: Application
) -> None:
    scene = set_scene(6, mix="partner=1")
    assert scene.migrator("run", "tokens.csv", "--limit", "1").returncode == 0
    ((bad,),) = scene.query("SELECT key FROM connections ORDER BY id LIMIT 1 OFFSET 2")
    application.tell("refuse", bad)
    ran = scene.migrator("run", "tokens.csv", "--canary", "2", "--deliver", application.url)
    assert ran.returncode == 3
    assert "the canary failed: its pairs are not seen where they are delivered to" in ran.stderr
    assert scene.states() == {"migrated": 3, "pending": 3}


def test_a_canary_whose_rows_have_gone_again_stops_the_run(set_scene: SetScene, postgres: Database) -> None:
    """Taken, and yet not there: a trigger of the application's, say, that puts them elsewhere."""
    postgres.execute(
        "CREATE TABLE pairs (connection_id text PRIMARY KEY, access_token text, refresh_token text,"
        " generation bigint); CREATE RULE elsewhere AS ON INSERT TO pairs DO INSTEAD NOTHING"
    )
    scene = set_scene(6, mix="partner=1")
    ran = scene.migrator("run", "tokens.csv", "--canary", "2", "--deliver", postgres.url("pairs"))
    assert ran.returncode == 3, ran.stderr
    assert "its pairs are not seen where they are delivered to" in ran.stderr
    assert scene.states() == {"migrated": 2, "pending": 4}


def test_refresh_delivers_what_it_renews(live: Live, application: Application) -> None:
    life = live(4)
    old = {tenant: token.reveal() for tenant, token in life.refresh_tokens().items()}
    assert life.json("refresh", "--all", "--deliver", application.url)["refreshed"] == 4
    new = {str(line["refresh_token"]) for line in application.lines()}
    assert new == {token.reveal() for token in life.refresh_tokens().values()}
    assert not new & set(old.values()), "each was renewed first, and delivered once"
    assert len(application.lines()) == 4
    life.pass_days(1)
    assert life.json("refresh", "--all", "--deliver", application.url)["refreshed"] == 0, (
        "they are the application's"
    )
