"""A fresh state of Dropbox for each test, and sandboxes that really serve it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.any_provider import Played, client, row, start, state
from tests.sandbox.dropbox.support import DropboxClient

__all__ = ["client", "played", "row", "start", "state"]

Start = Callable[..., DropboxClient]


@pytest.fixture
def played() -> Played:
    """Who is played, and what talks to it."""
    return Played("dropbox", DropboxClient)
