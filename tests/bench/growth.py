"""What each command takes as there are more connections: from a thousand to a million."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tabulate import tabulate

from tests.bench.journey import SWAPPED, Journey, journey
from tests.bench.processes import Taken
from tests.bench.serving import serving
from tests.bench.table import Form, number

FIRST = 1_000
STEP = 10
LINEAR = 1.15
"""Exponent of the growth from one size to the next that passes for linear; the rest is the machine's."""
SHORT = 1.0
"""Seconds below which the start of the process says more than the size."""

STEPS = ("plan", "load", "run", "resume", "status", "export", "report")
NOTE = (
    f"Each command once. run makes {SWAPPED:,} swaps, resume one, whatever the size; before resume, "
    "99 % are migrated."
)


@dataclass(frozen=True)
class Point:
    """One command at one size."""

    step: str
    rows: int
    seconds: float
    processor: float
    memory: float


def sizes(rows: int) -> Iterator[int]:
    """Powers of ten, up to so many."""
    size = FIRST
    while size <= rows:
        yield size
        size *= STEP


def growth(folder: Path, rows: int) -> list[Point]:
    """Every command, once at each size."""
    points = []
    with serving() as stub:
        for size in sizes(rows):
            way = journey(folder / f"{size}", stub, size)
            points += [_point(step, size, taken) for step, taken in _steps(way)]
    return points


def _steps(way: Journey) -> Iterator[tuple[str, Taken]]:
    yield "plan", way.plan()
    yield "load", way.load()
    yield "run", way.run()
    way.nearly_done()
    yield "resume", way.resume()[0]
    yield "status", way.status()
    yield "export", way.export()
    yield "report", way.report()


def _point(step: str, rows: int, taken: Taken) -> Point:
    return Point(step, rows, taken.seconds, taken.processor, taken.memory)


def growth_table(points: Sequence[Point], form: Form) -> str:
    """Seconds, processor seconds and MiB of each command at each size."""
    rows = [
        (
            point.step,
            f"{point.rows:,}",
            f"{number(point.seconds)} s",
            f"{number(point.processor)} s",
            f"{point.memory:.0f} MiB",
        )
        for point in sorted(points, key=lambda point: (STEPS.index(point.step), point.rows))
    ]
    headers = ("command", "connections", "time", "processor", "memory")
    return tabulate(rows, headers, tablefmt=form, disable_numparse=True)


def steeper(points: Sequence[Point]) -> list[str]:
    """Where the processor's time grows faster than the number of connections, in words."""
    found = []
    for step in STEPS:
        of_step = sorted((point for point in points if point.step == step), key=lambda point: point.rows)
        for smaller, larger in pairwise(of_step):
            exponent = math.log(larger.processor / smaller.processor) / math.log(larger.rows / smaller.rows)
            if exponent > LINEAR and larger.processor > SHORT:
                found.append(f"{step}: from {smaller.rows:,} to {larger.rows:,} as n^{exponent:.2f}")
    return found
