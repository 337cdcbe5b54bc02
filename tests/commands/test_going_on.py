"""The command that goes on later, as ``at`` and cron have it: in another folder, and with no PATH."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SetScene
from tests.provider import misbehaving
from tests.support import PATIENCE, Finished, Scene

LIMITED = (429, {"Retry-After": "7200", "X-Rate-Limit-Problem": "appminute"}, b"")


@pytest.fixture
def scene(set_scene: SetScene) -> Scene:
    """With the console script of an installation, in a folder whose name is to be quoted."""
    scene = set_scene(3, mix="partner=1", expired=0.0)
    script = scene.folder / "it's here" / "migrator"
    script.parent.mkdir()
    script.write_text(f"#!{sys.executable}\nfrom migrator.__main__ import main\nmain()\n")
    script.chmod(0o755)
    return scene


def talk_to(scene: Scene, url: str) -> None:
    settings = scene.folder / "migrator.toml"
    settings.write_text(re.sub(r"base_url = .*", f'base_url = "{url}"', settings.read_text("utf-8")), "utf-8")


def stopped(scene: Scene, program: list[str], path: str) -> str:
    """What a run says that the provider stops for hours."""
    with misbehaving(lambda *_: LIMITED) as (url, _):
        talk_to(scene, url)
        finished = subprocess.run(
            [*program, "run", "tokens.csv"],
            cwd=scene.folder,
            env={**scene.clean_environment(), "PATH": path},
            text=True,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    talk_to(scene, scene.sandbox.base_url)
    assert finished.returncode == 3, finished.stderr
    assert scene.states() == {"pending": 3}
    return finished.stderr


def by_cron(scene: Scene, line: str) -> Finished:
    """Run a line as cron would, if its PATH were empty."""
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd="/",
        env={"PATH": "", "PYTHONPATH": scene.clean_environment()["PYTHONPATH"]},
        text=True,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


SCRIPT = "it's here/migrator"


@pytest.mark.parametrize(
    ("program", "path"),
    [
        (["migrator"], "it's here"),
        ([f"./{SCRIPT}"], ""),
        ([SCRIPT], ""),
        ([sys.executable, SCRIPT], ""),
        ([sys.executable, "-m", "migrator"], ""),
        ([sys.executable, "-c", "from migrator.__main__ import main; main()"], ""),
    ],
    ids=["by PATH", "here", "below", "by its interpreter", "as a module", "as a program"],
)
@pytest.mark.parametrize(
    "told", [r"go on from .*?, in [^:]*: (.*)", r"by itself: (echo .*)"], ids=["cron", "at"]
)
def test_the_command_that_is_told_goes_on_wherever_it_is_run(
    scene: Scene, program: list[str], path: str, told: str
) -> None:
    folder = f"{scene.folder}/{path}" if path else ""
    if program == ["migrator"]:
        program = ["/bin/sh", "-c", 'migrator "$@"', "sh"]
    found = re.search(told, stopped(scene, program, folder))
    assert found
    finished = by_cron(scene, f"at() {{ . /dev/stdin; }}\n{found[1]}")
    assert finished.returncode == 0, (found[1], finished.stderr)
    assert scene.states() == {"migrated": 3}


def test_a_script_that_cannot_be_run_is_not_named(scene: Scene) -> None:
    (scene.folder / SCRIPT).chmod(0o644)
    said = stopped(scene, [sys.executable, SCRIPT], "")
    assert f": {sys.executable} -m migrator --config" in said
    assert Path(sys.executable).is_absolute()
    assert os.access(sys.executable, os.X_OK)


def test_the_status_names_the_command_that_was_stopped_whatever_ran_beside_it_since(scene: Scene) -> None:
    talk_to(scene, scene.sandbox.base_url)
    assert scene.migrator("run", "tokens.csv").returncode == 0
    (key,) = scene.query("SELECT key FROM connections LIMIT 1")[0]
    with misbehaving(lambda *_: LIMITED) as (url, _):
        talk_to(scene, url)
        refused = scene.migrator("revoke", "--yes", key)
        assert refused.returncode == 3
        assert f" revoke --yes -- {key}\n" in refused.stderr
        assert "go on from" not in scene.migrator("status").stdout, "it does not know of whom"
        for command in ("refresh --all", "verify"):
            assert scene.migrator(*command.split()).returncode == 3
            assert re.search(rf"go on from .* {command.split()[0]}\n", scene.migrator("status").stdout)
    talk_to(scene, scene.sandbox.base_url)
    told = scene.status()["resume_at"]
    assert told
    for command in ("reconsent serve", "export", "purge"):  # which neither go on with it nor wait for it
        scene.alter(
            "INSERT INTO runs (command, process, started_at, finished_at, outcome, sources)"
            " SELECT ?, 1, started_at, finished_at, 'done', '' FROM runs ORDER BY id DESC LIMIT 1",
            command,
        )
        assert scene.status()["resume_at"] == told
    assert scene.migrator("verify").returncode == 0
    assert re.search(r"go on from .* refresh\n", scene.migrator("status").stdout), "that still waits"
    assert scene.migrator("refresh", "--all").returncode == 0
    assert scene.status()["resume_at"] is None
