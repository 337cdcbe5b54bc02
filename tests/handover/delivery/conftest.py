"""An application that takes pairs, and processes that do not outlive their test."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.handover.delivery.receivers import Application
from tests.support import Scene

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def application(tmp_path: Path) -> Application:
    return Application(tmp_path / "application")


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts ``migrator`` in a scene, and goes on."""
    started: list[subprocess.Popen[str]] = []

    def start_(scene: Scene, *arguments: str) -> subprocess.Popen[str]:
        started.append(scene.start(*arguments))
        return started[-1]

    yield start_
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()
