"""``refresh``: stored pairs are kept alive, and a lost answer costs no more than it must."""

from __future__ import annotations

import json
import signal

import pytest

from migrator.ledger.file import lock
from migrator.models import Action
from tests.handover.conftest import Live
from tests.handover.support import Life, until
from tests.killed_at import STEPS
from tests.support import PATIENCE, fingerprint


def test_what_ends_within_a_week_is_refreshed_and_cron_hears_nothing(live: Live) -> None:
    life = live(3)
    life.pass_days(22.9)
    finished = life.done("-q", "refresh")
    assert finished.stdout + finished.stderr == ""
    assert life.attempts("refresh") == []
    life.pass_days(0.2)
    finished = life.done("-q", "refresh")
    assert finished.stdout + finished.stderr == ""
    assert sorted(life.attempts("refresh")) == [(1, "done"), (2, "done"), (3, "done")]
    assert life.dead() == []
    assert life.done("-q", "refresh").returncode == 0
    assert len(life.attempts("refresh")) == 3
    assert "0 pairs refreshed" in life.done("refresh").stderr


@pytest.mark.parametrize(("within", "number"), [("7d", 3), ("5d", 0), ("143h", 0), ("145h", 3), ("8700m", 3)])
def test_within_takes_days_hours_and_minutes(live: Live, within: str, number: int) -> None:
    life = live(3)
    life.pass_days(24)  # six are left
    assert life.json("refresh", "--within", within)["refreshed"] == number


def test_a_time_longer_than_any_refresh_token_lives_refreshes_each_pair_once(live: Live) -> None:
    life = live(3)
    life.configure(rate_per_minute=60)  # so that a job that never ends does no harm
    process = life.start("refresh", "--within", "31d", "--json")
    try:
        said, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert json.loads(said)["refreshed"] == 3
    assert sorted(life.attempts("refresh")) == [(1, "done"), (2, "done"), (3, "done")]


@pytest.mark.parametrize(
    "arguments",
    [("--within", "7"), ("--within", "7w"), ("--within", "-7d"), ("--within", "7d", "--all")],
    ids=" ".join,
)
def test_what_is_no_duration_is_wrong_usage(live: Live, arguments: tuple[str, ...]) -> None:
    life = live(3)
    life.done("refresh", *arguments, code=2)
    assert life.attempts("refresh") == []


def test_both_generations_are_kept(live: Live) -> None:
    life = live(3)
    before = life.refresh_tokens()
    document = life.json("refresh", "--all")
    assert document == {"outcome": "done", "refreshed": 3, "refused": 0, "open": 0}
    after = life.refresh_tokens()
    assert all(before[tenant] != after[tenant] for tenant in before)
    held = {one.tenant_id: one for one in life.held()}
    for tenant in before:
        assert held[tenant].pairs == {fingerprint(before[tenant]), fingerprint(after[tenant])}
        assert held[tenant].standing == fingerprint(after[tenant])
    assert life.dead() == []
    assert life.query("SELECT count(*) FROM token_pairs WHERE dead_at IS NOT NULL") == [(0,)]


def test_a_pair_keeps_its_scope_and_its_user_through_a_refresh(live: Live) -> None:
    life = live(3)
    sql = "SELECT key, user_id, tenant_id FROM pairs ORDER BY key"
    before = life.query(sql)
    life.done("refresh", "--all")
    assert life.query(sql) == before
    assert all(user for _, user, _ in before)


def test_a_revoked_grant_needs_consent_and_is_not_swapped_back(live: Live) -> None:
    life = live(3)
    life.revoke_at_provider(life.tenant_of(1))
    finished = life.done("-q", "refresh", "--all", code=1)
    assert finished.stdout == ""
    assert "1 was refused" in finished.stderr
    assert life.state_of(1) == ("needs_consent", "grant_revoked")
    life.migrator("resume")
    life.done("run", "tokens.csv")
    life.done("refresh", "--all")
    assert life.state_of(1) == ("needs_consent", "grant_revoked")
    assert life.sandbox.stats()["swaps_issued"] == 3
    assert life.states() == {"migrated": 2, "needs_consent": 1}
    assert life.dead() == []


@pytest.mark.parametrize("number", [3, 12])
def test_refresh_tokens_that_ended_unused_need_consent_for_that_reason(live: Live, number: int) -> None:
    life = live(number)
    life.pass_days(31)
    assert life.status()["upkeep"]["ended"] == number
    life.done("refresh", *(["--believe-refusals"] if number > 10 else []), code=1)
    assert life.state_of_all() == [("needs_consent", "refresh_token_expired")]
    assert life.sandbox.stats()["swaps_issued"] == number


def test_one_dead_pair_is_nobody_elses(live: Live) -> None:
    life = live(12)
    for number in range(1, 9):
        life.revoke_at_provider(life.tenant_of(number))
    life.migrator("refresh", "--all")
    life.migrator("refresh", "--all")
    assert life.states() == {"migrated": 4, "needs_consent": 8}
    assert life.dead() == []
    assert len([one for one in life.attempts("refresh") if one[0] > 8]) >= 4


def settled(life: Life) -> None:
    """Go on as cron and an operator would, until nothing is open."""
    for _ in range(6):
        refreshed = life.migrator("refresh")
        assert refreshed.returncode in (0, 1, 3), refreshed.stderr
        assert life.dead() == []
        life.migrator("resume")
        assert life.dead() == []
        if not {"uncertain", "in_flight"} & set(life.states()):
            return
    raise AssertionError(life.query("SELECT key, state, reason, doubt FROM connections"))


def test_a_lost_answer_costs_nothing_where_the_old_token_may_be_tried_again(live: Live) -> None:
    life = live(8, per_user=1)
    live.serve(life, "drop-response=0.4", refresh_grace=1800)
    life.pass_days(25)
    life.migrator("refresh")
    assert life.sandbox.stats()["faults"]["drop-response"] > 0, "nothing got lost: the test shows nothing"
    settled(life)
    assert life.state_of_all() == [("migrated", "")]
    assert life.sandbox.stats()["swaps_issued"] == 8, "the legacy tokens were not needed"
    assert life.dead() == []


@pytest.mark.parametrize("repeat", ["keep", "newest-wins"])
def test_without_such_a_grace_the_legacy_token_wins_another_pair(live: Live, repeat: str) -> None:
    life = live(6, repeat=repeat)
    live.serve(life, "drop-response=0.3", f"repeat={repeat}")
    life.pass_days(25)
    life.migrator("refresh")
    assert life.sandbox.stats()["faults"]["drop-response"] > 0, "nothing got lost: the test shows nothing"
    live.serve(life, f"repeat={repeat}")
    settled(life)
    lost = {number for number, outcome in life.attempts("refresh") if outcome == "unknown"}
    assert life.state_of_all() == [("migrated", "")]
    assert life.sandbox.stats()["swaps_issued"] >= 6 + len(lost)  # answers to swaps got lost, too
    assert life.untrue() == []


def test_without_either_the_user_must_consent_and_the_reason_is_the_lost_answer(live: Live) -> None:
    life = live(6, repeat="never")
    live.serve(life, "drop-response=0.3", "repeat=never")
    life.pass_days(25)
    life.migrator("refresh")
    assert life.sandbox.stats()["faults"]["drop-response"] > 0, "nothing got lost: the test shows nothing"
    live.serve(life, "repeat=never")
    settled(life)
    assert life.state_of_all() == [("migrated", ""), ("needs_consent", "response_lost")]
    assert life.untrue() == []
    assert life.dead() == []


def test_what_a_refresh_leaves_uncertain_it_does_not_call_refused(live: Live) -> None:
    # The pair died with a lost answer, and the legacy token has not been asked yet: nobody must consent.
    life = live(3, repeat="keep")
    life.kill_at("after send", Action.REFRESH, 1, "refresh", "--all", "--concurrency", "1")
    finished = life.migrator("refresh", "--all")
    if life.states().get("uncertain"):
        assert finished.returncode == 1
        assert "consent" not in finished.stderr
    else:
        assert finished.returncode == 0, finished.stderr
        assert life.states() == {"migrated": 3}


TOOK_EFFECT = ("after send", "after answer", "before commit")


@pytest.mark.parametrize("provider", ["grace", "never"])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_this_step_costs_no_more_than_the_answer(live: Live, step: str, provider: str) -> None:
    repeat = "never" if provider == "never" else "keep"
    life = live(3, repeat=repeat)
    live.serve(life, f"repeat={repeat}", refresh_grace=1800.0 if provider == "grace" else 0.0)
    life.pass_days(25)
    life.kill_at(step, Action.REFRESH, 2, "refresh", "--concurrency", "1")
    assert life.dead() == []
    assert life.state_of(1) == ("migrated", "")
    assert life.state_of(3) == ("migrated", "")
    expected = "migrated" if step in ("before intent", "after commit") else "in_flight"
    assert life.state_of(2)[0] == expected
    refreshed = life.migrator("refresh", "--concurrency", "1")
    assert life.dead() == []
    lost = step in TOOK_EFFECT and provider == "never"
    open_ = {"uncertain", "in_flight"} & set(life.states())
    assert refreshed.returncode == (1 if lost or open_ else 0), (refreshed.stderr, life.states())
    assert not open_ or lost, "the next refresh settles what the kill left"
    life.migrator("resume")
    assert life.state_of(2) == (("needs_consent", "response_lost") if lost else ("migrated", ""))
    assert life.dead() == []
    assert life.untrue() == []
    assert life.sandbox.stats()["swaps_issued"] == 3
    left = life.query("SELECT count(*) FROM pairs WHERE refresh_expires_at < ?", "2000")
    assert left == [(0,)]
    assert [row for row in life.attempts("refresh") if row[1] is None] == []


@pytest.mark.parametrize("step", ["after send", "before commit"])
def test_after_a_kill_a_refresh_makes_the_pair_ready_to_be_handed_over(live: Live, step: str) -> None:
    life = live(3, repeat="keep")
    live.serve(life, "repeat=keep", refresh_grace=1800.0)
    life.kill_at(step, Action.REFRESH, 2, "refresh", "--all", "--concurrency", "1")
    life.done("refresh", "--all")
    assert life.states() == {"migrated": 3}
    assert life.json("export", "-o", "pairs.jsonl")["connections"] == 3


def test_a_second_process_keeps_out(live: Live) -> None:
    life = live(3)
    with lock.exclusive(life.ledger):
        for command in (
            ["refresh"],
            ["verify"],
            ["export", "-o", "pairs.jsonl"],
            ["purge", "--yes"],
            ["revoke", life.key_of(1), "--yes"],
        ):
            finished = life.done(*command, code=4)
            assert "in use" in finished.stderr
    assert life.query("SELECT count(*) FROM attempts WHERE action <> 'swap'") == [(0,)]
    assert not (life.folder / "pairs.jsonl").exists()


def test_ctrl_c_ends_a_refresh_with_what_is_in_flight_recorded(live: Live) -> None:
    life = live(6, "latency=300ms")
    process = life.start("refresh", "--all", "--concurrency", "1")
    until(lambda: life.attempts("refresh"), process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert 0 < len(life.attempts("refresh")) < 6
    assert {outcome for _, outcome in life.attempts("refresh")} == {"done"}
    assert life.state_of_all() == [("migrated", "")]
    assert life.dead() == []
    assert life.query("SELECT outcome FROM runs ORDER BY id DESC LIMIT 1") == [("interrupted",)]
