"""Another program holds the ledger: the job waits for it, but not for ever, and loses nothing."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from tests.conftest import SetScene
from tests.support import PATIENCE, Scene


@contextmanager
def held(scene: Scene) -> Iterator[None]:
    """A write transaction in somebody's shell."""
    with closing(sqlite3.connect(scene.ledger, timeout=10, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        yield
        shell.execute("ROLLBACK")


def rescued(scene: Scene) -> bool:
    rescue = scene.folder / "migration.db.rescue"
    return bool(rescue.read_bytes().strip(b"\0"))


def await_that(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "nothing moves"
        time.sleep(0.02)


def scene_of(set_scene: SetScene) -> Scene:
    """Calls are always under way, and the job has begun."""
    scene = set_scene(200, "latency=100ms", mix="partner=1", timeout=5.0, patience=20.0)
    assert scene.migrator("run", "tokens.csv", "--limit", "1").returncode == 0
    return scene


def test_a_job_that_is_told_to_end_does_not_wait_for_whoever_holds_the_ledger(set_scene: SetScene) -> None:
    scene = scene_of(set_scene)
    process = scene.start("resume", "--concurrency", "8")
    await_that(lambda: scene.states()["migrated"] >= 20)
    with held(scene):
        await_that(lambda: rescued(scene))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 3, said
    assert "'migrator resume'" in said
    assert rescued(scene)
    finished = scene.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert "from the rescue file" in finished.stderr
    assert scene.states() == {"migrated": 200}
    assert scene.sandbox.stats()["swapped_twice"] == 0


def test_a_job_goes_on_once_the_ledger_is_let_go(set_scene: SetScene) -> None:
    scene = scene_of(set_scene)
    process = scene.start("resume", "--concurrency", "8")
    await_that(lambda: scene.states()["migrated"] >= 20)
    with held(scene):
        await_that(lambda: rescued(scene))
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert scene.states() == {"migrated": 200}
    assert scene.sandbox.stats()["swapped_twice"] == 0
