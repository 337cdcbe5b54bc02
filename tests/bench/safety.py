"""How long an answer that arrived is not yet on disk, at the pace of Xero's limit."""

from __future__ import annotations

import statistics
from pathlib import Path

from tests.bench.figures import Figure, Goal, Part
from tests.bench.home import home
from tests.bench.limits import AT_ONCE, EACH_SECOND, LATENCY
from tests.bench.rows import write_rows
from tests.bench.serving import serving
from tests.torture.window import windows

_SECONDS = 10


def safety(folder: Path, rounds: int) -> list[Part]:
    """Median, 99th percentile and longest of each round, in milliseconds."""
    number = _SECONDS * EACH_SECOND
    each = []
    with serving(latency=LATENCY) as stub:
        for turn in range(rounds):
            place = home(folder / f"{turn}", stub, limits=None, concurrency=AT_ONCE)
            write_rows(place.tokens, number)
            each.append(windows(place.folder, place.environment))
    return [
        Part(
            "From an answer to its pair on disk, 167 a second",
            (
                Figure("median", tuple(map(statistics.median, each)), "ms"),
                Figure(
                    "99 % within",
                    tuple(statistics.quantiles(one, n=100)[98] for one in each),
                    "ms",
                    Goal(10.0),
                ),
                Figure("longest", tuple(map(max, each)), "ms"),
            ),
            f"{number:,} swaps, timed within the job.",
        )
    ]
