"""Measures what was asked for, prints it, and writes it down as Markdown."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import at_size, limits, swapping
from tests.bench.figures import Part
from tests.bench.table import table

Measure = Callable[[Path, int, int], list[Part]]

PARTS: dict[str, Callable[[Path, argparse.Namespace], list[Part]]] = {
    "swaps": lambda folder, options: swapping.without_latency(folder, options.rounds, options.swaps),
    "latency": lambda folder, options: swapping.with_latency(folder, options.rounds, 2 * options.swaps),
    "tls": lambda folder, options: swapping.over_tls(folder, options.rounds, options.swaps),
    "limits": lambda folder, _: limits.limits(folder),
    "rows": lambda folder, options: at_size.at_size(folder, options.rounds, options.rows),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--swaps", type=int, default=3_000, help="swaps of each process without a limit")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the files that are read")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where the tables go, as Markdown")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="migrator-bench-") as name:
        for part in options.only or PARTS:
            for measured in PARTS[part](Path(name) / part, options):
                print(measured.title, measured.note, table(measured, "simple"), sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
