"""A kill at each named step of a call: the ledger stays true, and nothing but a lost answer is lost."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from migrator.models import Action
from tests.conftest import SetScene
from tests.killed_at import STEPS
from tests.support import PATIENCE, Scene

TOOK_EFFECT = ("after send", "after answer", "before commit", "after commit")


def kill(scene: Scene, step: str, action: Action) -> tuple[int, str]:
    """Run until the kill; returns the connection that was being worked on, and its state."""
    command = [sys.executable, "-m", "tests.killed_at", step, action.value, "3", "--"]
    process = subprocess.run(
        [*command, "run", "tokens.csv", "--concurrency", "1"],
        cwd=scene.folder,
        env=scene.clean_environment(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    ((connection_id,),) = scene.query("SELECT connection_id FROM attempts ORDER BY id DESC LIMIT 1")
    if step == "before intent":
        ((connection_id,),) = scene.query("SELECT min(id) FROM connections WHERE state = 'pending'")
    ((state,),) = scene.query("SELECT state FROM connections WHERE id = ?", connection_id)
    return connection_id, state


@pytest.mark.parametrize("repeat", ["newest-wins", "never"])
@pytest.mark.parametrize("action", [Action.SWAP, Action.RENEW])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_this_step_leaves_a_true_ledger(
    set_scene: SetScene, step: str, action: Action, repeat: str
) -> None:
    scene = set_scene(8, f"repeat={repeat}", mix="partner=1", expired=0.5, timeout=0.3)
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
    assert scene.query("SELECT state, reason FROM connections WHERE id = ?", connection_id) == [ended]
