"""A fresh state of Intuit for each test, and sandboxes that really serve it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.sandbox import issue_tokens
from tests.sandbox.any_provider import Played, client, start, state
from tests.sandbox.application import Row
from tests.sandbox.intuit.support import IntuitClient

__all__ = ["client", "played", "row", "start", "state"]

Start = Callable[..., IntuitClient]


@pytest.fixture
def played() -> Played:
    """Who is played, and what talks to it."""
    return Played("intuit", IntuitClient)


@pytest.fixture
def row(state: Path) -> Row:
    """A legacy token that is valid now."""
    return next(issue_tokens(state, 1, expired=0))
