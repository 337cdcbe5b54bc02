"""Whether the stub is fast enough to be forgotten."""

from __future__ import annotations

from pathlib import Path

from tests.bench.capacity import capacity
from tests.bench.figures import Figure, Goal, Part
from tests.bench.serving import serving

ENOUGH = 10_000.0
"""Swaps a second: several times what any client of the bench makes."""


def alone(_folder: Path, rounds: int) -> list[Part]:
    """What it answers to a client that costs next to nothing either."""
    with serving() as stub:
        can = [capacity(stub) for _ in range(rounds)]
    figures = (
        Figure("stub", tuple(one.per_second for one in can), "/s", Goal(ENOUGH, at_least=True)),
        Figure("stub", tuple(one.per_processor_second for one in can), "/processor second"),
    )
    return [Part("What the stub can do alone", figures, "20,000 swaps from 32 connections of a raw client.")]
