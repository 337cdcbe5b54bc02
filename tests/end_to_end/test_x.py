"""X: the newest pair wins, and another exchange cures what was lost; reads are billed."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from migrator.models import Action
from tests.end_to_end.conftest import SetLife
from tests.end_to_end.support import finish, rows, set_value, swaps_by_connection, with_limits
from tests.engine.test_misbehaving import talk_to
from tests.handover.support import Life
from tests.provider import Calls, Reply, misbehaving, of_json


def states_and_reasons(life: Life) -> list[tuple[str, str, int]]:
    return life.query("SELECT state, reason, count(*) FROM connections GROUP BY 1, 2 ORDER BY 1, 2")


def test_who_swaps_the_same_users_elsewhere_kills_the_pairs_here_and_they_are_won_back(
    set_life: SetLife,
) -> None:
    life = set_life("x", 6, timeout=1.0)
    life.done("run", "tokens.csv")
    life.done("--ledger", "second.db", "run", "tokens.csv")
    assert len(life.untrue()) == 6, "their pairs are dead, and this ledger cannot know"
    life.done("verify", "--all")
    assert life.states() == {"migrated": 6}
    assert life.untrue() == []
    found = life.query("SELECT outcome, count(*) FROM attempts WHERE action = 'verify' GROUP BY 1")
    assert dict(found)["over"] == 6, "the first answer said of each that its pair is dead"
    assert set(swaps_by_connection(life).values()) == {3}
    # Now it is the second one's that are dead; a refresh shows that, too, and cures it.
    life.done("--ledger", "second.db", "refresh", "--all")
    with closing(sqlite3.connect(life.folder / "second.db")) as db:
        assert db.execute("SELECT DISTINCT state, reason FROM connections").fetchall() == [("migrated", "")]
    assert set(swaps_by_connection(life).values()) == {4}


@pytest.mark.parametrize("step", ["after send", "after answer", "before commit"])
def test_a_swap_whose_answer_a_kill_took_is_asked_for_again(set_life: SetLife, step: str) -> None:
    life = set_life("x", 2, timeout=1.0)
    life.kill_at(step, Action.SWAP, 1, "run", "tokens.csv", "--concurrency", "1")
    assert life.untrue() == []
    life.done("resume")
    assert life.states() == {"migrated": 2}
    assert life.untrue() == []
    assert sorted(swaps_by_connection(life).values()) == [1, 2]
    assert life.sandbox.stats()["pairs_working"] == 2


def test_a_refresh_token_that_a_kill_took_is_cured_without_asking_the_user(set_life: SetLife) -> None:
    life = set_life("x", 2, timeout=1.0)
    life.done("run", "tokens.csv")
    life.kill_at("after answer", Action.REFRESH, 1, "refresh", "--all", "--concurrency", "1")
    assert life.untrue() == []
    finish(life)
    assert life.states() == {"migrated": 2}
    assert sorted(swaps_by_connection(life).values()) == [1, 2]
    assert life.sandbox.stats()["authorisations"] == 0


def test_reads_are_billed_and_only_a_sample_is_asked_about(set_life: SetLife) -> None:
    life = set_life("x", 112, timeout=10.0)
    life.done("run", "tokens.csv", "--canary", "5")
    assert life.sandbox.stats()["reads_billed"] == 5
    verified = life.json("verify")
    assert (verified["verified"], verified["not_asked"]) == (100, 7)
    assert life.sandbox.stats()["reads_billed"] == 105
    assert life.json("verify", "--all")["verified"] == 112
    assert life.sandbox.stats()["reads_billed"] == 105 + 112


def test_a_window_of_exchanges_that_is_used_up_costs_nobody_anything(set_life: SetLife) -> None:
    life = set_life("x", 30, "limit=20/5s", timeout=10.0, patience=40.0)
    with_limits(life, '[[limits]]\ncount = 20\nwindow = "5s"\nsubject = "application"\ncalls = ["swap"]\n')
    life.done("run", "tokens.csv")
    assert life.states() == {"migrated": 30}
    assert life.sandbox.stats()["swaps_issued"] == 30
    assert life.untrue() == []


def test_users_who_have_ended_their_grant_must_consent(set_life: SetLife) -> None:
    life = set_life("x", 12)
    ended = [row["oauth_token"] for row in rows(life)[3:6:2]]
    with closing(sqlite3.connect(life.folder.parent / "sandbox.db", timeout=10)) as db, db:
        db.executemany("UPDATE oauth1_tokens SET alive = 0 WHERE token = ?", [(token,) for token in ended])
    life.done("run", "tokens.csv")
    assert states_and_reasons(life) == [("migrated", "", 10), ("needs_consent", "grant_revoked", 2)]
    assert life.untrue() == []
    theirs = {held.key for held in life.held() if held.state == "needs_consent"}
    assert theirs == {row["connection_id"] for row in rows(life) if row["oauth_token"] in ended}


def test_a_wrong_client_secret_stops_the_job_at_the_first_call(set_life: SetLife) -> None:
    life = set_life("x", 6)
    (life.folder / "client_secret").write_text("wrong", "utf-8")
    stopped = life.done("run", "tokens.csv", code=3)
    assert "invalid_client" in stopped.stderr
    assert life.states() == {"pending": 6}
    assert life.sandbox.stats()["requests"] == {"400": 1}


def test_oauth2_that_is_not_switched_on_stops_the_job_at_the_first_call(set_life: SetLife) -> None:
    life = set_life("x", 6)

    def answer(_path: str, _calls: Calls) -> Reply:
        return of_json(400, {"error": "unauthorized_client", "error_description": "OAuth 2.0 is not enabled"})

    with misbehaving(answer) as (url, calls):
        talk_to(life, url)
        stopped = life.done("run", "tokens.csv", code=3)
    assert len(calls.paths) == 1
    assert "that OAuth 2.0 is switched on in the developer portal" in stopped.stderr
    assert life.states() == {"pending": 6}


def test_a_public_client_has_no_secret(set_life: SetLife) -> None:
    life = set_life("x", 4)
    set_value(life, "client_id", life.credentials["public_client_id"])
    set_value(life, "client_secret_file", None)
    (life.folder / "client_secret").unlink()
    life.done("run", "tokens.csv", "--canary", "2")
    life.done("refresh", "--all")
    assert life.states() == {"migrated": 4}
    assert life.untrue() == []
    assert life.sandbox.stats()["refreshes_issued"] == 4


def test_who_is_granted_less_than_is_needed_is_told_of(set_life: SetLife) -> None:
    life = set_life("x", 12)
    with_limits(life)
    own = life.folder / "own.toml"
    text = own.read_text("utf-8").replace('scope = "{scope}"\n', "").replace('optional = ["scope"]', "")
    own.write_text(text + '\n[scope]\nneeded = ["users.email"]\n', "utf-8")
    life.done("run", "tokens.csv")
    counted = dict(life.query("SELECT reason, count(*) FROM connections GROUP BY 1"))
    assert counted.keys() == {"", "scope_missing"}
    granted = life.query(
        "SELECT reason, scope FROM token_pairs p JOIN connections c ON c.id = p.connection_id"
    )
    assert all((reason == "") is ("users.email" in scope.split()) for reason, scope in granted)
    assert life.states() == {"migrated": 12}
    assert "was granted less than it" in life.done("status").stdout


def test_asking_for_more_than_a_user_has_allowed_fails_that_user_alone(set_life: SetLife) -> None:
    life = set_life("x", 12)
    settings = life.folder / "migrator.toml"
    text = settings.read_text("utf-8").replace("[oauth2]\n", '[oauth2]\nscopes = ["tweet.write"]\n')
    settings.write_text(text, "utf-8")
    life.done("run", "tokens.csv", code=1)
    assert {(state, reason) for state, reason, _ in states_and_reasons(life)} == {
        ("failed", "invalid_scope"),
        ("migrated", ""),
    }
    assert life.untrue() == []
