"""A fresh state for each test, and sandboxes that really serve it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from migrator.sandbox import credentials, issue_tokens, running
from tests.sandbox.application import Row
from tests.sandbox.browser import Browser
from tests.sandbox.support import Client, Pair

Start = Callable[..., Client]


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state with credentials and nothing else; making its keys takes a while, so it is made once."""
    path = tmp_path_factory.mktemp("furnished") / "sandbox.db"
    credentials(path)
    return path


@pytest.fixture
def state(furnished: Path, tmp_path: Path) -> Path:
    """A state file of the test's own."""
    path = tmp_path / "sandbox.db"
    shutil.copy(furnished, path)
    return path


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def start(state: Path, session: requests.Session) -> Iterator[Start]:
    """Starts the sandbox on the test's state with the given faults; gives a client of it."""
    with ExitStack() as stack:

        def started(*faults: str, **options: Any) -> Client:
            sandbox = stack.enter_context(running(state, faults, **options))
            return Client(sandbox.base_url, credentials(state), session)

        yield started


@pytest.fixture
def client(start: Start) -> Client:
    """A client of a sandbox without fault."""
    return start()


@pytest.fixture
def browser(client: Client) -> Iterator[Browser]:
    """A browser of somebody who has not logged in."""
    with Browser(client.base_url) as opened:
        yield opened


@pytest.fixture
def partner(state: Path) -> Row:
    """A partner's token that is valid now."""
    return next(issue_tokens(state, 1, "partner=1", expired=0))


@pytest.fixture
def expired(state: Path) -> Row:
    """A partner's token whose time is over."""
    return next(issue_tokens(state, 1, "partner=1", expired=1))


@pytest.fixture
def pair(client: Client, partner: Row) -> Pair:
    """A pair that was just swapped."""
    answer: Pair = client.swap(partner).json()
    return answer


@pytest.fixture
def three(state: Path) -> list[Row]:
    """The legacy tokens of a user with three organisations."""
    return list(issue_tokens(state, 3, "public=1", organisations_per_user=3))
