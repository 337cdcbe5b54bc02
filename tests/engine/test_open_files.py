"""A job that needs more open files than it may have says so before it begins."""

from __future__ import annotations

import subprocess

import pytest

from tests.conftest import SetScene
from tests.support import PATIENCE, Finished, Scene


def limited(scene: Scene, ulimit: str, *arguments: str) -> Finished:
    """Run ``migrator`` under a limit of open files."""
    return subprocess.run(
        ["sh", "-c", f'ulimit {ulimit} && exec "$@"', "sh", *scene.command(*arguments)],
        cwd=scene.folder,
        env=scene.clean_environment(),
        text=True,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_soft_limit_is_raised(set_scene: SetScene) -> None:
    scene = set_scene(60, "latency=50ms", mix="partner=1")
    finished = limited(scene, "-Sn 40", "run", "tokens.csv", "--concurrency", "40")
    assert finished.returncode == 0, finished.stderr
    assert scene.states() == {"migrated": 60}


def test_as_many_as_are_asked_for_are_enough(set_scene: SetScene) -> None:
    scene = set_scene(200, "latency=300ms", mix="partner=1")
    finished = limited(scene, f"-n {4 * 60 + 64}", "run", "tokens.csv", "--concurrency", "60")
    assert finished.returncode == 0, finished.stderr
    assert scene.sandbox.stats()["max_concurrent"] > 40


@pytest.mark.parametrize("command", [["run", "tokens.csv"], ["resume"]])
def test_a_concurrency_that_needs_more_is_refused_before_anything_is_made_or_sent(
    set_scene: SetScene, command: list[str]
) -> None:
    scene = set_scene(5, mix="partner=1")
    finished = limited(scene, "-n 100", *command, "--concurrency", "32")
    assert finished.returncode == 2
    assert "32 calls at once need about 192 open files, and this process may have 100" in finished.stderr
    assert "lower concurrency to 9 " in finished.stderr
    assert "'ulimit -n 192'" in finished.stderr
    assert not scene.ledger.exists()
    assert not scene.ledger.with_name("migration.db.key").exists()
    assert scene.sandbox.stats()["requests"] == {}
