"""Measures what was asked for, prints it, and writes it down as Markdown with a plot.

Under ten minutes where nothing else is at work; ``--rows 1000000`` takes longer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.alone import alone
from tests.bench.at_size import at_size
from tests.bench.figures import Part
from tests.bench.growth import NOTE, Point, growth, growth_table, steeper
from tests.bench.limits import limits
from tests.bench.record import circumstances, write
from tests.bench.safety import safety
from tests.bench.start_up import start_up
from tests.bench.swapping import over_tls, with_latency, without_latency
from tests.bench.table import table, unmet

Measure = Callable[[Path, argparse.Namespace], list[Part]]

PARTS: dict[str, Measure] = {
    "stub": lambda folder, options: alone(folder, options.rounds),
    "swaps": lambda folder, options: without_latency(folder, options.rounds, options.swaps),
    "latency": lambda folder, options: with_latency(folder, options.rounds, options.swaps),
    "tls": lambda folder, options: over_tls(folder, options.rounds, options.swaps),
    "limits": lambda folder, _: limits(folder),
    "safety": lambda folder, options: safety(folder, options.rounds),
    "rows": lambda folder, options: at_size(folder, options.rounds, options.rows),
    "start": lambda folder, options: start_up(folder, options.rounds),
}
GROWTH = "growth"


def main() -> int:
    """Measure; 0 whatever comes of it: a busy machine misses goals."""
    options = _options()
    wanted = options.only or [*PARTS, GROWTH]
    output = options.output or Path(tempfile.mkdtemp(prefix="migrator-bench-"))
    about = circumstances(sys.argv[1:])
    say(about)
    measured: list[Part] = []
    points: list[Point] = []
    with tempfile.TemporaryDirectory(prefix="migrator-bench-") as name:
        for part in wanted:
            if part == GROWTH:
                points = growth(Path(name) / part, options.rows)
                say(f"Growth\n{NOTE}\n\n{growth_table(points, 'simple')}")
            else:
                of_part = PARTS[part](Path(name) / part, options)
                measured += of_part
                for one in of_part:
                    say("\n".join(filter(None, [one.title, one.note, "", table(one, "simple")])))
            path = write(output, about, measured, points)  # after each: who stops it has what there is
    for missed in (*unmet(measured), *steeper(points)):
        say(f"missed: {missed}")
    say(f"written to {path}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    choices = [*PARTS, GROWTH]
    parser.add_argument(
        "--only", choices=choices, action="append", metavar="PART", help=f"one of {', '.join(choices)}; again"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--swaps", type=int, default=2_000, help="of each process, where there is no limit")
    parser.add_argument("--rows", type=int, default=100_000, help="of the largest file")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="where it is written down; a new one, which it names"
    )
    return parser.parse_args()


def say(text: str) -> None:
    """At once: some figures take minutes."""
    print(text, end="\n\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
