"""The fixtures of every provider but Xero: a folder's ``conftest`` takes them over, and says which it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from migrator.sandbox import credentials, issue_tokens, running
from tests.sandbox.application import Row


@dataclass(frozen=True)
class Played:
    """Who is played, and what talks to it: made of base URL, credentials and session."""

    provider: str
    client: Callable[[str, Any, requests.Session], Any]


@pytest.fixture
def state(played: Played, tmp_path: Path) -> Path:
    """A state file of the test's own."""
    path = tmp_path / "sandbox.db"
    credentials(path, played.provider)
    return path


@pytest.fixture
def start(played: Played, state: Path, session: requests.Session) -> Iterator[Callable[..., Any]]:
    """Starts the sandbox on the test's state with the given faults; gives a client of it."""
    with ExitStack() as stack:

        def started(*faults: str, **options: Any) -> Any:
            sandbox = stack.enter_context(running(state, faults, **options))
            return played.client(sandbox.base_url, credentials(state), session)

        yield started


@pytest.fixture
def client(start: Callable[..., Any]) -> Any:
    """A client of a sandbox without fault."""
    return start()


@pytest.fixture
def row(state: Path) -> Row:
    """A legacy token."""
    return next(issue_tokens(state, 1))
