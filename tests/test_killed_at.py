"""A kill at each named step of a call: the ledger stays true, and nothing but a lost answer is lost."""

from __future__ import annotations

import pytest

from migrator.models import Action, TokenPair
from tests.conftest import SetScene
from tests.killed_at import STEPS
from tests.support import Scene

TOOK_EFFECT = ("after send", "after answer", "before commit", "after commit")


def kill(scene: Scene, step: str, action: Action) -> tuple[int, str]:
    """Run until the kill; returns the connection that was being worked on, and its state."""
    scene.kill_at(step, action, 3, "run", "tokens.csv", "--concurrency", "1")
    ((connection_id,),) = scene.query("SELECT connection_id FROM attempts ORDER BY id DESC LIMIT 1")
    if step == "before intent":
        ((connection_id,),) = scene.query("SELECT min(id) FROM connections WHERE state = 'pending'")
    return connection_id, state_of(scene, connection_id)[0]


def state_of(scene: Scene, connection_id: int) -> tuple[str, str]:
    """State and reason of one connection."""
    ((state, reason),) = scene.query("SELECT state, reason FROM connections WHERE id = ?", connection_id)
    return state, reason


@pytest.mark.parametrize("repeat", ["newest-wins", "never"])
@pytest.mark.parametrize("action", [Action.SWAP, Action.RENEW])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_this_step_leaves_a_true_ledger(
    set_scene: SetScene, step: str, action: Action, repeat: str
) -> None:
    scene = set_scene(8, f"repeat={repeat}", mix="partner=1", expired=0.5, timeout=1.5, patience=6.0)
    connection_id, state = kill(scene, step, action)
    assert scene.untrue() == []
    expected = {
        "before intent": "pending",
        "after commit": "migrated" if action is Action.SWAP else "pending",
    }
    assert state == expected.get(step, "in_flight")
    finished = scene.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert scene.untrue() == []
    others = scene.query("SELECT DISTINCT state FROM connections WHERE id <> ?", connection_id)
    assert others == [("migrated",)]
    lost = step in TOOK_EFFECT[:-1] and (repeat == "never" or action is Action.RENEW)
    ended = ("needs_consent", "response_lost") if lost else ("migrated", "")
    assert state_of(scene, connection_id) == ended


SET_OUT = ("--concurrency", "1", "--limit", "1")
"""One connection at a time: the first."""


def doubtful_pair(scene: Scene) -> None:
    """Leave the first connection with a stored pair that is not yet seen to work.

    Its first swap was killed before it was sent, so its second one is not its only one, for all we know.
    """
    scene.kill_at("after intent", Action.SWAP, 1, "run", "tokens.csv", *SET_OUT)
    scene.kill_at("after commit", Action.SWAP, 1, "resume", *SET_OUT)
    assert state_of(scene, 1) == ("uncertain", "unverified_pair")


def finish(scene: Scene) -> None:
    """Resume to the end; whatever was killed, the others have their pairs."""
    finished = scene.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert scene.untrue() == []
    assert scene.query("SELECT DISTINCT state FROM connections WHERE id <> 1") == [("migrated",)]


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_while_a_pair_is_verified_costs_nothing(set_scene: SetScene, step: str) -> None:
    scene = set_scene(3, mix="partner=1", expired=0, timeout=0.6, patience=2.4)
    doubtful_pair(scene)
    scene.kill_at(step, Action.VERIFY, 1, "resume", *SET_OUT)
    assert scene.untrue() == []
    seen = ("migrated", "") if step == "after commit" else ("uncertain", "unverified_pair")
    assert state_of(scene, 1) == seen
    finish(scene)
    assert state_of(scene, 1) == ("migrated", "")
    assert scene.sandbox.stats()["swapped_twice"] == 0, "a question that got lost is no reason to swap again"


@pytest.mark.parametrize("repeat", ["newest-wins", "keep", "never"])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_while_a_pair_is_refreshed_leaves_a_true_ledger(
    set_scene: SetScene, step: str, repeat: str
) -> None:
    # A refresh token serves once: an answer that is lost takes the pair with it. Then the legacy token is
    # asked for another, which it gives where the provider swaps one more than once.
    scene = set_scene(3, f"repeat={repeat}", mix="partner=1", expired=0, timeout=0.8, patience=3.2)
    doubtful_pair(scene)
    assert scene.alter("UPDATE token_pairs SET expires_at = obtained_at") == 1
    scene.kill_at(step, Action.REFRESH, 1, "resume", *SET_OUT)
    assert scene.untrue() == []
    expected = {"before intent": ("uncertain", "unverified_pair"), "after commit": ("migrated", "")}
    assert state_of(scene, 1) == expected.get(step, ("in_flight", "unverified_pair"))
    finish(scene)
    lost = step in TOOK_EFFECT[:-1]
    ended = ("needs_consent", "response_lost") if lost and repeat == "never" else ("migrated", "")
    assert state_of(scene, 1) == ended
    assert scene.sandbox.stats()["swaps_issued"] == (4 if lost and repeat != "never" else 3)
    assert ended[0] == "needs_consent" or scene.refresh_works(first_pair(scene))


def first_pair(scene: Scene) -> TokenPair:
    """The pair that stands for the first connection."""
    ((tenant,),) = scene.query("SELECT tenant_id FROM connections WHERE id = 1")
    return scene.pairs()[tenant]
