"""A fresh state of Vimeo for each test, and sandboxes that really serve it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from migrator.sandbox import credentials, issue_tokens
from tests.sandbox.application import Row, Starter
from tests.sandbox.vimeo.support import VimeoClient

Start = Starter[VimeoClient]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state file of the test's own."""
    path = tmp_path / "vimeo.db"
    credentials(path, "vimeo")
    return path


@pytest.fixture
def start(state: Path, session: requests.Session) -> Iterator[Start]:
    """Starts the sandbox on the test's state with the given faults; gives a client of it."""
    with ExitStack() as stack:
        yield Starter(VimeoClient, state, session, stack)


@pytest.fixture
def client(start: Start) -> VimeoClient:
    """A client of a sandbox without fault."""
    return start()


@pytest.fixture
def row(state: Path) -> Row:
    """A legacy token."""
    return next(issue_tokens(state, 1))
