"""A fresh state of Garmin for each test, and sandboxes that really serve it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.any_provider import Played, client, row, start, state
from tests.sandbox.garmin.support import GarminClient

__all__ = ["client", "played", "row", "start", "state"]

StartGarmin = Callable[..., GarminClient]


@pytest.fixture
def played() -> Played:
    """Who is played, and what talks to it."""
    return Played("garmin", GarminClient)
