"""Migrations at any provider that the sandbox plays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from migrator import sandbox
from tests.conftest import SetScene
from tests.handover.support import Life

SetLife = Callable[..., Life]
Spoil = Callable[..., None]


@pytest.fixture
def set_life(set_scene: SetScene) -> SetLife:
    """Sets scenes at a provider, whose time can pass: ``set_life("x", 40, "latency=30ms")``."""

    def set_(
        provider: str, count: int, *faults: str, timeout: float | None = None, patience: float = 4.0
    ) -> Life:
        scene = set_scene(count, *faults, provider=provider, timeout=timeout, patience=patience)
        return Life(scene.folder, scene.sandbox, scene.credentials, provider=provider)

    return set_


@pytest.fixture
def spoil() -> Iterator[Spoil]:
    """From now on a sandbox with other faults answers: ``spoil(life, "drop-response=0.1")``."""
    with ExitStack() as stack:

        def spoil_(life: Life, *faults: str) -> None:
            state = life.folder.parent / "sandbox.db"
            life.served_by(stack.enter_context(sandbox.running(state, faults, seed=7)))

        yield spoil_
