"""Tumblr: a legacy token dies of its swap, and the limits are those of the application's ordinary traffic."""

from __future__ import annotations

import re

import pytest

from migrator.models import Action
from tests.end_to_end.conftest import SetLife, Spoil
from tests.end_to_end.support import set_value, swaps_by_connection, with_limits
from tests.engine.test_misbehaving import talk_to
from tests.handover.support import Life
from tests.provider import Calls, Reply, misbehaving, of_json

A_DAY = """
[[limits]]
count = 10
window = "1d"
calendar = true
subject = "key"
shared = true
"""


def states_and_reasons(life: Life) -> list[tuple[str, str, int]]:
    return life.query("SELECT state, reason, count(*) FROM connections GROUP BY 1, 2 ORDER BY 1, 2")


def asked(life: Life) -> dict[int, int]:
    """Connection to the number of swaps that were sent for it."""
    return dict(
        life.query(
            "SELECT connection_id, count(*) FROM attempts WHERE action = 'swap' GROUP BY connection_id"
        )
    )


@pytest.mark.parametrize(
    ("step", "swapped"),
    [("after intent", 0), ("after send", None), ("after answer", 1), ("before commit", 1)],
)
def test_a_swap_that_a_kill_cut_off_is_never_asked_for_again(
    set_life: SetLife, step: str, swapped: int | None
) -> None:
    life = set_life("tumblr", 3, timeout=5.0)
    with_limits(life)
    life.kill_at(step, Action.SWAP, 2, "run", "tokens.csv", "--concurrency", "1")
    life.done("resume")
    assert states_and_reasons(life) == [("migrated", "", 2), ("needs_consent", "response_lost", 1)]
    assert asked(life) == {1: 1, 2: 1, 3: 1}
    assert life.untrue() == []
    (lost,) = (held.key for held in life.held() if held.state == "needs_consent")
    assert swapped in (None, swaps_by_connection(life)[lost])
    life.done("run", "tokens.csv")
    life.done("resume", "--retry-failed")
    assert asked(life) == {1: 1, 2: 1, 3: 1}
    assert "response_lost" in life.done("reconsent", "list", "--csv").stdout


def test_an_answer_that_the_network_lost_is_lost_for_good_at_once(set_life: SetLife, spoil: Spoil) -> None:
    life = set_life("tumblr", 24, timeout=5.0)
    with_limits(life)
    life.done("run", "tokens.csv", "--limit", "1")
    spoil(life, "drop-response=0.3")
    life.done("resume")
    states = life.states()
    assert states.keys() == {"migrated", "needs_consent"}
    assert {reason for _, reason, _ in states_and_reasons(life)} == {"", "response_lost"}
    assert set(asked(life).values()) == {1}
    assert life.sandbox.stats()["swapped_twice"] == 0
    assert life.untrue() == []


@pytest.mark.parametrize("count", [1, 3, 12])
def test_a_wrong_client_secret_is_not_taken_for_dead_refresh_tokens(set_life: SetLife, count: int) -> None:
    life = set_life("tumblr", count, timeout=1.0)
    with_limits(life)
    life.done("run", "tokens.csv")
    right = (life.folder / "client_secret").read_text("utf-8")
    (life.folder / "client_secret").write_text("wrong", "utf-8")
    stopped = life.done("refresh", "--all", code=3)
    assert "none was given up" in stopped.stderr
    assert "Check its keys and secrets" in stopped.stderr
    assert life.states() == {"migrated": count}
    assert life.untrue() == []
    (life.folder / "client_secret").write_text(right, "utf-8")
    life.done("refresh", "--all")
    assert life.states() == {"migrated": count}
    assert life.sandbox.stats()["refreshes_issued"] == count


@pytest.mark.parametrize("count", [2, 8])
def test_a_wrong_consumer_secret_is_not_taken_for_dead_legacy_tokens(set_life: SetLife, count: int) -> None:
    life = set_life("tumblr", count, timeout=1.0)
    with_limits(life)
    right = (life.folder / "consumer_secret").read_text("utf-8")
    (life.folder / "consumer_secret").write_text("wrong", "utf-8")
    stopped = life.done("run", "tokens.csv", code=3)
    assert "none was given up" in stopped.stderr
    assert life.states() == {"pending": count}
    (life.folder / "consumer_secret").write_text(right, "utf-8")
    life.done("resume")
    assert life.states() == {"migrated": count}


def test_a_calendar_day_ends_and_the_job_goes_on_the_next(set_life: SetLife) -> None:
    life = set_life("tumblr", 8, "latency=5ms", timeout=5.0)
    with_limits(life, A_DAY)
    set_value(life, "max_attempts", 5)
    life.configure(leave='"50%"')
    plan = life.done("run", "tokens.csv", "--dry-run").stdout
    assert re.search(r"at 5 calls a calendar day", plan), plan
    assert "50% of it is left" in plan
    stopped = life.done("run", "tokens.csv", code=3)
    assert life.states() == {"migrated": 5, "pending": 3}
    assert re.search(r"go on from .* resume", stopped.stderr), stopped.stderr
    again = life.done("resume", code=3)
    assert "is used up" in again.stderr
    assert life.sandbox.stats()["swaps_issued"] == 5
    life.pass_days(1)
    life.done("resume")
    assert life.states() == {"migrated": 8}
    assert life.sandbox.stats()["requests_refused_429"] == 0
    assert life.untrue() == []


def test_a_plan_says_how_many_days_it_takes(set_life: SetLife) -> None:
    life = set_life("tumblr", 6_000)
    life.configure(leave='"80%"')  # 1,000 a day: whatever the hour is now, more than four whole days
    plan = life.done("run", "tokens.csv", "--dry-run").stdout
    assert re.search(r"take at least \d+(\.\d+)? (d|days)", plan), plan
    assert "80% of it is left" in plan


def test_the_user_agent_is_the_same_in_every_call(set_life: SetLife) -> None:
    life = set_life("tumblr", 2, timeout=5.0)
    with_limits(life)

    def answer(_path: str, calls: Calls) -> Reply:
        number = len(calls.paths)
        tokens = {"access_token": f"a{number}", "refresh_token": f"r{number}", "token_type": "bearer"}
        return of_json(200, {**tokens, "expires_in": 2520, "response": {"user": {"name": "somebody"}}})

    with misbehaving(answer) as (url, calls):
        talk_to(life, url)
        life.migrator("run", "tokens.csv")
        life.migrator("verify")
        life.migrator("refresh", "--all")
        seen = calls.user_agents
    assert len(seen) >= 5
    assert len(set(seen)) == 1
    assert seen[0].strip()


def test_what_is_not_told_of_refresh_tokens_is_said_and_how_to_renew_them_all(set_life: SetLife) -> None:
    life = set_life("tumblr", 2, timeout=5.0)
    with_limits(life)
    life.done("run", "tokens.csv")
    said = life.done("refresh")
    assert "nobody knows how long refresh tokens of Tumblr live" in said.stderr
    assert "'migrator refresh --all'" in said.stderr
    assert life.sandbox.stats()["refreshes_issued"] == 0
    assert life.done("-q", "refresh").stderr == ""
    assert "nobody knows" not in life.done("refresh", "--all").stderr
    assert life.sandbox.stats()["refreshes_issued"] == 2
    life.done("report", "-o", "r.md")
    assert "## When refresh tokens end\n\nNo day is known." in (life.folder / "r.md").read_text("utf-8")


def test_what_cannot_be_revoked_is_refused_before_it_is_asked_about(set_life: SetLife) -> None:
    life = set_life("tumblr", 1, timeout=5.0)
    with_limits(life)
    life.done("run", "tokens.csv")
    (held,) = life.held()
    for arguments in ([held.key], [held.key, "--yes"]):
        refused = life.done("revoke", *arguments, code=2)
        assert "Tumblr revokes no pairs: its profile has no [revoke]" in refused.stderr
        assert "[y/N]" not in refused.stderr
    assert life.states() == {"migrated": 1}
