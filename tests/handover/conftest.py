"""Migrations whose swaps are over: each made once, and copied for every test that wants one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from migrator import sandbox
from migrator.sandbox import Sandbox
from migrator.sandbox.issuing import client_files
from tests.handover.support import Life, write_csv

Rewrite = Callable[[int, dict[str, str]], Mapping[str, str]]
"""Number of a row, from 1, and the row as the sandbox issued it: as the application has it."""

_STATE = "sandbox.db"


@dataclass
class Swapped:
    """Makes migrations, and keeps them to be copied."""

    folder: Path
    known: dict[tuple[object, ...], Path] = field(default_factory=dict)

    def get(self, count: int, per_user: int, repeat: str, rewrite: Rewrite | None) -> Path:
        """A folder with the state of a sandbox, and a folder ``scene``; nobody may change it."""
        asked = (count, per_user, repeat, rewrite)
        if asked not in self.known:
            folder = self.folder / str(len(self.known))
            self._make(folder, count, per_user, repeat, rewrite)
            self.known[asked] = folder
        return self.known[asked]

    def _make(self, folder: Path, count: int, per_user: int, repeat: str, rewrite: Rewrite | None) -> None:
        scene = folder / "scene"
        scene.mkdir(parents=True)
        state = folder / _STATE
        if self.known:  # the keys of the provider take a while to make
            shutil.copy(self.folder / "furnished.db", state)
        else:
            sandbox.credentials(state)
            shutil.copy(state, self.folder / "furnished.db")
        rows = sandbox.issue_tokens(
            state, count, "partner=1", expired=0, seed=7, organisations_per_user=per_user
        )
        write_csv(
            scene / "tokens.csv", (rewrite(n, row) if rewrite else row for n, row in enumerate(rows, 1))
        )
        with sandbox.running(state, [f"repeat={repeat}"]) as running:
            life = _life(scene, state, running)
            life.done("run", "tokens.csv", "--concurrency", "1")
        assert life.states() == {"migrated": count}


def _life(scene: Path, state: Path, running: Sandbox) -> Life:
    credentials = sandbox.credentials(state)
    settings = client_files.write_settings(scene, credentials, running.base_url)
    settings.write_text(f"{settings.read_text('utf-8').rstrip()}\ntimeout = 2\npatience = 2\n", "utf-8")
    return Life(scene, running, credentials)


@pytest.fixture(scope="session")
def swapped(tmp_path_factory: pytest.TempPathFactory) -> Swapped:
    return Swapped(tmp_path_factory.mktemp("swapped"))


def _served(life: Life, running: Sandbox, faults: tuple[str, ...]) -> None:
    """A lost call is repeated once it is over for certain: where some are lost, that must not take long."""
    life.configure(timeout=1.0 if faults else 2.0)
    life.served_by(running)


class Live:
    """Gives lives: copies of a migration that is over, with a sandbox of their own."""

    def __init__(self, folder: Path, swapped: Swapped, stack: ExitStack) -> None:
        self._folder = folder
        self._swapped = swapped
        self._stack = stack
        self._served = ExitStack()
        self._state = folder / _STATE
        stack.callback(self._end)

    def __call__(
        self,
        count: int = 4,
        *faults: str,
        per_user: int = 1,
        repeat: str = "newest-wins",
        rewrite: Rewrite | None = None,
        refresh_grace: float = 0.0,
    ) -> Life:
        made = self._swapped.get(count, per_user, repeat, rewrite)
        shutil.copytree(made, self._folder, dirs_exist_ok=True)
        running = self._serve(f"repeat={repeat}", *faults, refresh_grace=refresh_grace)
        life = Life(self._folder / "scene", running, sandbox.credentials(self._state))
        _served(life, running, faults)
        return life

    def serve(self, life: Life, *faults: str, refresh_grace: float = 0.0, seed: int = 7) -> None:
        """Have another sandbox with other faults go on from the same state."""
        _served(life, self._serve(*faults, refresh_grace=refresh_grace, seed=seed), faults)

    def _serve(self, *faults: str, refresh_grace: float, seed: int = 7) -> Sandbox:
        self._served.close()
        self._served = ExitStack()
        return self._served.enter_context(
            sandbox.running(self._state, faults, seed=seed, refresh_grace=refresh_grace)
        )

    def _end(self) -> None:
        self._served.close()


@pytest.fixture
def live(tmp_path: Path, swapped: Swapped) -> Iterator[Live]:
    with ExitStack() as stack:
        yield Live(tmp_path / "life", swapped, stack)
