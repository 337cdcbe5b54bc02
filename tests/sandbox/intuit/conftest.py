"""A fresh state of Intuit for each test, and sandboxes that really serve it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from migrator.sandbox import credentials, issue_tokens
from tests.sandbox.application import Row, Starter
from tests.sandbox.intuit.support import IntuitClient

Start = Starter[IntuitClient]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state file of the test's own."""
    path = tmp_path / "intuit.db"
    credentials(path, "intuit")
    return path


@pytest.fixture
def start(state: Path, session: requests.Session) -> Iterator[Start]:
    """Starts the sandbox on the test's state with the given faults; gives a client of it."""
    with ExitStack() as stack:
        yield Starter(IntuitClient, state, session, stack)


@pytest.fixture
def client(start: Start) -> IntuitClient:
    """A client of a sandbox without fault."""
    return start()


@pytest.fixture
def row(state: Path) -> Row:
    """A legacy token that is valid now."""
    return next(issue_tokens(state, 1, expired=0))
