"""A limit of days, against the sandbox: the job uses what is its own, ends, and does not overrun it later."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from tests.conftest import SetScene
from tests.support import Scene

LIMITS = """
[[limits]]
count = 5
window = "1d"
subject = "application"
shared = true
calls = ["swap"]
name = "a day"
"""


@pytest.fixture
def scene(set_scene: SetScene) -> Scene:
    """A provider that is as Xero, but for five swaps a day."""
    scene = set_scene(8, mix="partner=1", expired=0.0)
    profile = (resources.files("migrator.providers") / "profiles" / "xero.toml").read_text("utf-8")
    own = re.sub(r"(\[\[limits\]\]\n(?:[^\[\n].*\n|\n)*)+", LIMITS + "\n", profile, count=1)
    (scene.folder / "own.toml").write_text(own, "utf-8")
    settings = scene.folder / "migrator.toml"
    text = re.sub(r"provider = .*", 'provider = "own.toml"', settings.read_text("utf-8"), count=1)
    settings.write_text(text, "utf-8")
    return scene


def test_a_resumed_job_does_not_overrun_what_an_earlier_one_used(scene: Scene) -> None:
    finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3, finished.stderr
    assert "the provider's limit is used up (5 calls a day)" in finished.stderr
    assert re.search(r"go on from .* in 24.0 h: .* resume", finished.stderr)
    assert scene.states() == {"migrated": 5, "pending": 3}
    again = scene.migrator("resume")
    assert again.returncode == 3, again.stderr
    assert scene.states() == {"migrated": 5, "pending": 3}
    assert scene.sandbox.stats()["requests"] == {"200": 5}


def test_the_share_that_is_to_be_left_is_left(scene: Scene) -> None:
    scene.configure(leave='"40%"')
    assert scene.migrator("run", "tokens.csv").returncode == 3
    assert scene.states() == {"migrated": 3, "pending": 5}
    plan = scene.migrator("run", "tokens.csv", "--dry-run").stdout
    assert "at 3 calls a day" in plan
    assert "40% of it is left" in plan
