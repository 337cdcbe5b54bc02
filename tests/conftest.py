"""What every test may use: a migration in a folder of its own."""

from __future__ import annotations

import gc
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from migrator import sandbox
from migrator.sandbox.issuing import client_files
from migrator.sandbox.state.portal import new_rsa_key
from migrator.sandbox.xero import portal
from tests import postgres as servers
from tests.postgres import Database, Server
from tests.support import Scene

SetScene = Callable[..., Scene]

_LOSE_ANSWERS = ("drop-response", "late")
"""What makes a job wait for as long as an answer may take, which must be short then. Where none is lost, it
must be so long that a busy machine does not lose one."""

_RSA_KEYS = 4
"""Two for each of two sandboxes of one test."""

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


_MOSTLY_WAIT = ("end_to_end", "engine", "shapes", "test_killed_at.py", "test_torture.py")
"""Folders and files whose tests wait for real pauses, and have no fixture in common."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread those that wait over the others' files, so that each process always has something to do."""
    waiting = [item for item in items if {item.path.name, item.path.parent.name} & {*_MOSTLY_WAIT}]
    others = [item for item in items if not {item.path.name, item.path.parent.name} & {*_MOSTLY_WAIT}]
    files = [list(file) for _, file in groupby(others, key=lambda item: item.path)]
    if not files:
        return
    spread: list[pytest.Item] = []
    for number, file in enumerate(files):
        spread += waiting[number :: len(files)] + file
    items[:] = spread


def pytest_collection_finish() -> None:
    """Nobody need look for garbage among thousands of tests, again and again."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def few_rsa_keys() -> Iterator[None]:
    """The sandboxes of a process share a few: to make one takes an eighth of a second, and each has two."""
    keys = deque[str]()

    def next_key() -> str:
        keys.append(new_rsa_key() if len(keys) < _RSA_KEYS else keys.popleft())
        return keys[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portal, "new_rsa_key", next_key)
        yield


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """A command that runs within the tests' process sets up the log: the next test finds it as it was."""
    yield
    logger = logging.getLogger("migrator")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


@pytest.fixture
def set_scene(tmp_path: Path) -> Iterator[SetScene]:
    """Sets scenes: a sandbox with faults, tokens in ``tokens.csv``, settings of somebody without patience."""
    with ExitStack() as stack:

        def set_(
            count: int = 40,
            *faults: str,
            provider: str = "xero",
            mix: str | None = None,
            expired: float | None = None,
            timeout: float | None = None,
            patience: float = 4.0,
            redirect_uris: tuple[str, ...] = (),
        ) -> Scene:
            if provider == "xero":
                mix = mix or "partner=80,public=15,private=5"
                expired = 0.1 if expired is None else expired
            if timeout is None:
                timeout = 1.0 if any(fault.startswith(_LOSE_ANSWERS) for fault in faults) else 8.0
            folder = tmp_path / "scene"
            folder.mkdir()
            state = tmp_path / "sandbox.db"
            client_files.write_tokens(
                folder / "tokens.csv",
                sandbox.issue_tokens(state, count, mix, expired=expired, seed=7, provider=provider),
            )
            running = stack.enter_context(sandbox.running(state, faults, seed=7, redirect_uris=redirect_uris))
            credentials = sandbox.credentials(state)
            settings = client_files.write_settings(folder, credentials, running.base_url, provider)
            settings.write_text(
                f"{settings.read_text('utf-8').rstrip()}\ntimeout = {timeout}\npatience = {patience}\n",
                "utf-8",
            )
            return Scene(folder, running, credentials, provider=provider)

        yield set_


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL server, one for each process that runs tests."""
    with servers.serving() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: Server) -> Iterator[Database]:
    """An empty database of PostgreSQL's."""
    with postgres_server.database() as database:
        yield database
