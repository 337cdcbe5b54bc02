"""``revoke``: one connection is undone at the provider, and nothing wins it back."""

from __future__ import annotations

import pytest

from migrator.models import Action
from tests.handover.conftest import Live
from tests.killed_at import STEPS


def test_the_pair_is_dead_and_its_user_must_consent(live: Live) -> None:
    life = live(3)
    token = life.refresh_tokens()[life.tenant_of(2)]
    assert life.json("revoke", life.key_of(2), "--yes") == {
        "key": life.key_of(2),
        "revoked": True,
        "others": [],
    }
    assert not life.works(token)
    assert life.witness()[life.tenant_of(2)]["pairs_revoked"] == 1
    assert life.sandbox.stats()["pairs_revoked"] == 1
    assert life.state_of(2) == ("needs_consent", "revoked_by_operator")
    assert life.attempts("revoke") == [(2, "done")]
    assert life.dead() == []
    life.done("resume")
    life.done("run", "tokens.csv")
    life.done("refresh", "--all")
    assert life.state_of(2) == ("needs_consent", "revoked_by_operator")
    assert life.sandbox.stats()["swaps_issued"] == 3
    life.done("revoke", life.key_of(2), "--yes", code=2)
    assert len(life.attempts("revoke")) == 1


def test_a_pair_that_was_refreshed_is_revoked_by_its_newest_token(live: Live) -> None:
    life = live(3)
    life.done("refresh", "--all")
    life.done("revoke", life.key_of(1), "--yes")
    assert life.witness()[life.tenant_of(1)]["pairs_revoked"] == 1
    assert life.witness()[life.tenant_of(1)]["pairs_working"] == 0


def test_the_secret_of_oauth_1_may_be_gone_by_then(live: Live) -> None:
    life = live(3)
    (life.folder / "consumer_secret").unlink()
    life.done("revoke", life.key_of(1), "--yes")
    assert life.state_of(1) == ("needs_consent", "revoked_by_operator")


def test_an_unknown_key_is_wrong_usage(live: Live) -> None:
    life = live(3)
    finished = life.done("revoke", "nobody\x1b[31m", "--yes", code=2)
    assert "nobody" in finished.stderr
    assert "\x1b" not in finished.stderr
    assert life.attempts("revoke") == []


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_it_asks_first(live: Live, answer: str) -> None:
    life = live(3)
    assert life.migrator("revoke", life.key_of(1), stdin=answer).returncode == 130
    assert life.attempts("revoke") == []
    assert life.migrator("revoke", life.key_of(1), stdin="y\n").returncode == 0
    assert life.attempts("revoke") == [(1, "done")]


def test_a_pair_that_stands_for_others_is_revoked_only_if_that_is_said(live: Live) -> None:
    life = live(4, per_user=2)
    life.done("export", "--per", "user", "-o", "pairs.jsonl")
    stands = dict(life.query("SELECT key, stands_for_it FROM pairs"))
    own = dict(life.query("SELECT key, own_pair FROM pairs"))
    owner, served = sorted([life.key_of(1), life.key_of(2)], key=lambda key: stands[key] != own[key])
    for key in (owner, served):
        finished = life.done("revoke", key, "--yes", code=2)
        assert "--shared" in finished.stderr
    assert life.attempts("revoke") == []
    finished = life.done("revoke", served, "--shared", "--yes", code=2)
    assert owner in finished.stderr
    document = life.json("revoke", owner, "--shared", "--yes")
    assert document["others"] == [served]
    assert dict(life.query("SELECT key, state FROM connections"))[owner] == "needs_consent"


def test_a_lost_answer_is_asked_for_again(live: Live) -> None:
    life = live(3)
    live.serve(life, "drop-response=0.5", seed=2)
    finished = life.migrator("revoke", life.key_of(1), "--yes")
    assert finished.returncode == 0, finished.stderr
    outcomes = [outcome for _, outcome in life.attempts("revoke")]
    assert outcomes[-1] == "done"
    assert "unknown" in outcomes, "nothing got lost: the test shows nothing"
    assert life.state_of(1) == ("needs_consent", "revoked_by_operator")


def test_a_revocation_of_which_nobody_knows_is_not_undone_by_resume(live: Live) -> None:
    life = live(3)
    life.configure(max_attempts=1)
    live.serve(life, "drop-response=1")
    finished = life.migrator("revoke", life.key_of(1), "--yes")
    assert finished.returncode == 1, finished.stderr
    assert "do it again" in finished.stderr
    assert life.state_of(1) == ("uncertain", "response_lost")
    live.serve(life)
    life.done("resume", code=1)
    life.migrator("refresh", "--all")
    life.migrator("verify", "--all")
    life.done("run", "tokens.csv", code=1)
    assert life.state_of(1) == ("uncertain", "response_lost")
    assert life.sandbox.stats()["swaps_issued"] == 3
    assert {number for number, _ in life.attempts("refresh")} == {2, 3}
    life.done("revoke", life.key_of(1), "--yes")
    assert life.state_of(1) == ("needs_consent", "revoked_by_operator")
    assert life.witness()[life.tenant_of(1)]["pairs_working"] == 0


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_this_step_leaves_a_true_ledger(live: Live, step: str) -> None:
    life = live(3)
    token = life.refresh_tokens()[life.tenant_of(1)]
    life.kill_at(step, Action.REVOKE, 1, "revoke", life.key_of(1), "--yes")
    assert life.dead() == []
    life.migrator("resume")
    assert life.dead() == []
    assert life.sandbox.stats()["swaps_issued"] == 3
    if step == "after commit":
        assert life.state_of(1) == ("needs_consent", "revoked_by_operator")
    else:
        assert life.state_of(1)[0] == ("migrated" if step == "before intent" else "uncertain")
        life.done("revoke", life.key_of(1), "--yes")
    assert not life.works(token)
    assert life.state_of(1) == ("needs_consent", "revoked_by_operator")


def test_a_pair_whose_refresh_got_lost_can_be_revoked_or_is_said_not_to_be(live: Live) -> None:
    life = live(3)
    live.serve(life, refresh_grace=1800.0)
    life.kill_at("after send", Action.REFRESH, 1, "refresh", "--all", "--concurrency", "1")
    finished = life.migrator("revoke", life.key_of(1), "--yes")
    sent = bool(life.attempts("revoke"))
    if sent:
        assert finished.returncode == 0, finished.stderr
        assert life.state_of(1) == ("needs_consent", "revoked_by_operator")
        assert life.witness()[life.tenant_of(1)]["pairs_working"] == 0
    else:
        assert "nobody knows whether it is revoked" not in finished.stderr, "nothing was sent"


def test_a_handed_over_pair_is_revoked_with_a_warning(live: Live) -> None:
    life = live(3)
    life.done("export", "-o", "pairs.jsonl")
    finished = life.done("revoke", life.key_of(1), "--yes")
    assert "handed over" in finished.stderr
    assert life.state_of(1) == ("needs_consent", "revoked_by_operator")
