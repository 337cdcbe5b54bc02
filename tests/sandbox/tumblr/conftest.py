"""A fresh state of Tumblr for each test, and sandboxes that really serve it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from migrator.sandbox import credentials, issue_tokens, running
from tests.sandbox.support import Row
from tests.sandbox.tumblr.support import TumblrClient

StartTumblr = Callable[..., TumblrClient]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state file of the test's own."""
    path = tmp_path / "tumblr.db"
    credentials(path, "tumblr")
    return path


@pytest.fixture
def start(state: Path, session: requests.Session) -> Iterator[StartTumblr]:
    """Starts the sandbox on the test's state with the given faults; gives a client of it."""
    with ExitStack() as stack:

        def started(*faults: str, **options: Any) -> TumblrClient:
            sandbox = stack.enter_context(running(state, faults, **options))
            return TumblrClient(sandbox.base_url, credentials(state), session)

        yield started


@pytest.fixture
def client(start: StartTumblr) -> TumblrClient:
    """A client of a sandbox without fault."""
    return start()


@pytest.fixture
def row(state: Path) -> Row:
    """A legacy token."""
    return next(issue_tokens(state, 1))
