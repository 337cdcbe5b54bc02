"""Runs the parts of the torture and prints what came of them; exits 1 if anything untrue was said."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from migrator.sandbox import PROVIDERS
from tests.torture import fuzz
from tests.torture.cutover import cutover
from tests.torture.delivery_kills import delivered_through_kills
from tests.torture.kills import REPEAT_RULES, killed_over_and_over, rules_of
from tests.torture.memory import memory
from tests.torture.pace import pace
from tests.torture.window import window

PARTS = ("kills", "window", "pace", "fuzz", "cutover", "deliveries", "memory")


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--kills", type=int, default=500, help="SIGKILLs for each rule")
    parser.add_argument("--connections", type=int, default=20_000)
    parser.add_argument(
        "--provider", choices=PROVIDERS, action="append", help="whose tokens the kills are about; xero"
    )
    parser.add_argument("--repeat", choices=REPEAT_RULES, action="append", help="what a second swap does")
    parser.add_argument("--fuzzed", type=int, default=10_000, help="files, and answers")
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    parts = options.only or PARTS
    bad = 0
    with tempfile.TemporaryDirectory(prefix="migrator-torture-") as name:
        folder = Path(name)
        if "kills" in parts:
            bad += kill(folder, options)
        if "window" in parts:
            median, high, longest = window(folder / "window", count=2_000, seed=options.seed)
            say("answer received to commit on disk, in milliseconds:")
            say(f"  median {median:.1f}, 99 % within {high:.1f}, longest {longest:.1f}")
        if "pace" in parts:
            share, refused, calls = pace(folder / "pace", seconds=90, seed=options.seed)
            say("limit=10000/min at 150 ms:")
            say(f"  {share:.1%} of the limit used, {refused} of {calls:,} calls refused")
        if "fuzz" in parts:
            bad += fuzzed(options)
        if "cutover" in parts:
            times = cutover(folder / "cutover", count=options.connections, seed=options.seed)
            say(f"{times.pairs:,} pairs at {times.rate:,.0f} a minute, from answer to use, in seconds:")
            say(f"  median {times.median:.2f}, 99 % within {times.high:.2f}, longest {times.longest:.2f}")
        if "deliveries" in parts:
            result = delivered_through_kills(
                folder / "deliveries",
                count=options.connections // 10,
                kills=options.kills * 2 // 5,
                seed=options.seed,
            )
            say(str(result))
            bad += result.untrue
        for number in (1_000, 100_000, 1_000_000) if "memory" in parts else ():
            first, second = memory(folder / f"memory-{number}", number)
            say(f"{number:>9,} connections: run {first} MiB, resume {second} MiB at the peak")
    return 1 if bad else 0


def kill(folder: Path, options: argparse.Namespace) -> int:
    """Each provider with its rule of what a second swap does, or where that is not known with every rule;
    returns the number of untrue statements.
    """
    untrue = 0
    for provider in options.provider or ("xero",):
        for repeat in options.repeat or rules_of(provider):
            result = killed_over_and_over(
                folder / f"{provider}-{repeat}",
                repeat,
                count=options.connections,
                kills=options.kills,
                seed=options.seed,
                provider=provider,
            )
            say(str(result))
            untrue += result.untrue
    return untrue


def fuzzed(options: argparse.Namespace) -> int:
    """Files and answers; returns the number of findings."""
    findings = 0
    counted = {"files": fuzz.files(options.fuzzed, options.seed)}
    for action in fuzz.EXCHANGES:
        counted[f"answers to {action}"] = fuzz.answers(action, options.fuzzed, options.seed)
    for what, counts in counted.items():
        tracebacks = sum(number for name, number in counts.items() if name.startswith("traceback"))
        findings += tracebacks + counts["untrue"] + counts["rows lost"]
        findings += counts["secrets in the clear"]
        told = ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items()))
        say(f"{options.fuzzed:,} fuzzed {what}: {tracebacks} tracebacks; {told}")
    return findings


def say(text: str) -> None:
    """A figure, at once."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
