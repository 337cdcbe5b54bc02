"""What a night does to a job: it is stopped for longer than a call may take, and its terminal goes. The
provider gives each pair once, so that whatever is given up is lost.
"""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import suppress

from tests.conftest import SetScene
from tests.support import PATIENCE, Scene
from tests.terminal import at_terminal

TOKENS = 60


def scene_of(set_scene: SetScene) -> Scene:
    """Eight calls are under way whenever anything happens."""
    return set_scene(TOKENS, "repeat=never", "latency=300ms", mix="partner=1", expired=0.0)


def begun(scene: Scene, process: subprocess.Popen[str], migrated: int = 10) -> None:
    """Wait until so many are migrated."""
    deadline = time.monotonic() + PATIENCE
    while scene.states().get("migrated", 0) < migrated:
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < deadline, "nothing moves"
        time.sleep(0.01)


def all_migrated(scene: Scene) -> bool:
    """Whether nobody must consent again, says the ledger, and the witness agrees."""
    return scene.states() == {"migrated": TOKENS} and not scene.untrue()


def test_a_stop_for_longer_than_a_call_may_take_loses_nothing(set_scene: SetScene) -> None:
    scene = scene_of(set_scene)
    process = scene.start("run", "tokens.csv", "--concurrency", "8")
    for migrated, seconds in ((10, 3.5), (30, 1.5)):
        begun(scene, process, migrated)
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert all_migrated(scene), scene.states()
    assert scene.query("SELECT count(*) FROM attempts WHERE outcome <> 'done'") == [(0,)]
    assert said.count("this process did not run for 3 s") == 1


def test_a_terminal_that_goes_ends_the_job_in_order(set_scene: SetScene) -> None:
    scene = scene_of(set_scene)
    command = scene.command("-v", "run", "tokens.csv", "--concurrency", "8")
    with at_terminal(command, scene.folder, scene.clean_environment()) as session:
        begun(scene, session.process)
        assert session.hang_up() == 130
    assert set(scene.states()) == {"migrated", "pending"}, "what was in flight has been waited for"
    assert scene.query("SELECT outcome FROM runs") == [("interrupted",)]
    assert scene.migrator("resume").returncode == 0
    assert all_migrated(scene), scene.states()


def test_a_reader_that_goes_with_the_terminal_changes_nothing(set_scene: SetScene) -> None:
    # ``migrator run … 2>&1 | tee log``: the terminal takes tee with it.
    scene = scene_of(set_scene)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
        assert reader.stdin is not None
        process = subprocess.Popen(
            scene.command("-v", "run", "tokens.csv", "--concurrency", "8"),
            cwd=scene.folder,
            env=scene.clean_environment(),
            text=True,
            stdout=reader.stdin,
            stderr=reader.stdin,
        )
        begun(scene, process)
        reader.kill()
        process.send_signal(signal.SIGHUP)
        assert process.wait(PATIENCE) == 130
        with suppress(BrokenPipeError):
            reader.stdin.close()
    assert set(scene.states()) == {"migrated", "pending"}
    assert scene.migrator("resume").returncode == 0
    assert all_migrated(scene), scene.states()
