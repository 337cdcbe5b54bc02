"""Garmin: a user's id is known before the swap; whether it may be repeated is not."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from migrator.models import Action
from tests.end_to_end.conftest import SetLife, Spoil
from tests.end_to_end.support import finish, rows, swaps_by_connection, user_ids
from tests.handover.support import Life, json_lines


def end_grants(life: Life, *places: int) -> set[str]:
    """End the legacy tokens of these rows at the provider; returns the rows' keys."""
    chosen = [rows(life)[place] for place in places]
    with closing(sqlite3.connect(life.folder.parent / "sandbox.db", timeout=10)) as db, db:
        db.executemany(
            "UPDATE oauth1_tokens SET alive = 0 WHERE token = ?", [(row["oauth_token"],) for row in chosen]
        )
    return {row["connection_id"] for row in chosen}


def known_ids(life: Life) -> dict[str, str]:
    """Key to the user id that the ledger has."""
    return dict(life.query("SELECT key, user_id FROM connections"))


@pytest.mark.parametrize(
    ("step", "action", "swaps"),
    [
        ("after commit", Action.IDENTIFY, 1),
        ("after answer", Action.IDENTIFY, 1),
        ("after send", Action.SWAP, 2),
        ("after answer", Action.SWAP, 2),
    ],
)
def test_a_kill_around_the_question_whose_token_it_is(
    set_life: SetLife, step: str, action: Action, swaps: int
) -> None:
    life = set_life("garmin", 2, timeout=1.0)
    life.kill_at(step, action, 1, "run", "tokens.csv", "--concurrency", "1")
    assert life.untrue() == []
    finish(life)
    assert life.states() == {"migrated": 2}
    assert known_ids(life) == user_ids(life)
    assert sorted(swaps_by_connection(life).values()) in ([1, swaps], [1, 1])
    asked = life.query("SELECT connection_id, count(*) FROM attempts WHERE action = 'identify' GROUP BY 1")
    expected = {1: 2 if (step, action) == ("after answer", Action.IDENTIFY) else 1, 2: 1}
    assert dict(asked) == expected, "who is known is not asked again"


def test_an_id_is_kept_though_the_swap_fails(set_life: SetLife) -> None:
    life = set_life("garmin", 8, timeout=5.0)
    life.kill_at("after commit", Action.IDENTIFY, 1, "run", "tokens.csv", "--concurrency", "1")
    ended = end_grants(life, 0)
    life.done("resume")
    assert life.states() == {"migrated": 7, "needs_consent": 1}
    assert {held.key for held in life.held() if held.state == "needs_consent"} == ended
    assert known_ids(life) == user_ids(life), "of the one without a pair, too"
    assert life.untrue() == []


def test_a_lone_dead_token_is_its_users_matter_and_a_wrong_secret_everybodys(set_life: SetLife) -> None:
    life = set_life("garmin", 8, timeout=5.0)
    right = (life.folder / "consumer_secret").read_text("utf-8")
    (life.folder / "consumer_secret").write_text("wrong", "utf-8")
    stopped = life.done("run", "tokens.csv", code=3)
    assert "none was given up" in stopped.stderr
    assert life.states() == {"pending": 8}
    (life.folder / "consumer_secret").write_text(right, "utf-8")
    end_grants(life, 2, 5)
    life.done("resume")
    assert life.query("SELECT state, reason, count(*) FROM connections GROUP BY 1, 2 ORDER BY 1") == [
        ("migrated", "", 6),
        ("needs_consent", "grant_revoked", 2),
    ]


@pytest.mark.parametrize(
    ("repeat", "states"),
    [
        ("newest-wins", {"migrated": 4}),
        ("keep", {"migrated": 4}),
        ("never", {"migrated": 3, "needs_consent": 1}),
    ],
)
def test_whatever_its_rule_turns_out_to_be_the_second_answer_is_believed(
    set_life: SetLife, repeat: str, states: dict[str, int]
) -> None:
    life = set_life("garmin", 4, f"repeat={repeat}", timeout=1.0)
    life.kill_at("after answer", Action.SWAP, 1, "run", "tokens.csv", "--concurrency", "1")
    life.migrator("resume")
    assert life.states() == states
    assert life.untrue() == []
    verified = life.query("SELECT count(*) FROM token_pairs WHERE verified_at IS NOT NULL")
    assert verified == [(1 if states == {"migrated": 4} else 0,)], "the second pair is seen to work"


def test_the_old_token_works_for_thirty_days_more(set_life: SetLife, spoil: Spoil) -> None:
    life = set_life("garmin", 3, timeout=5.0)
    life.done("run", "tokens.csv")
    life.pass_days(31)
    assert all(not said["oauth_tokens_sha256"] for said in life.witness().values())
    life.done("refresh", "--all")
    life.done("verify", "--all")
    life.kill_at("after answer", Action.REFRESH, 1, "refresh", "--all", "--concurrency", "1")
    life.configure(timeout=0.5)
    life.done("resume", code=3)
    assert life.states() == {"migrated": 2, "uncertain": 1}, "a wrong secret would get the same answer"
    life.done("resume", "--believe-refusals")
    assert life.states() == {"migrated": 2, "needs_consent": 1}, "nothing cures it any more"
    assert life.untrue() == []
    life.done("export", "-o", "pairs.jsonl")
    exported = {row["connection_id"]: row["user_id"] for row in json_lines(life.folder / "pairs.jsonl")}
    assert len(exported) == 2
    assert exported.items() <= user_ids(life).items()
