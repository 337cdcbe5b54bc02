"""Swaps where the provider sets no limit: what the tool itself takes.

migrator is measured as it goes on with a ledger that has taken everything in (``resume``); each script reads
its tokens as it goes. All are whole processes, from their start to their end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.figures import Figure, Goal, Part
from tests.bench.home import home
from tests.bench.processes import Taken
from tests.bench.rows import write_rows
from tests.bench.serving import Stub, serving

MIGRATOR = "migrator"
_HOW = "migrator goes on with a ledger that has them all, but one is swapped"


@dataclass(frozen=True)
class Script:
    """One way to go about it."""

    who: str
    name: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Swapped:
    """So many, by one process."""

    number: int
    taken: Taken

    @property
    def rate(self) -> float:
        """A second."""
        return self.number / self.taken.seconds

    @property
    def cost(self) -> float:
        """Processor seconds for 1,000."""
        return 1_000 * self.taken.processor / self.number


Measured = Mapping[str, list[Swapped]]
"""Who, and what each round came to."""

PLAIN = Script("plain loop, written at the end", "plain_loop")
STRONG = Script("aiohttp, 256 in flight, a commit a swap", "aiohttp_tasks", ("--at-once", "256"))
LAX = Script(
    f"{STRONG.who}, synchronous=NORMAL", "aiohttp_tasks", (*STRONG.options, "--synchronous", "NORMAL")
)
ALL = (
    PLAIN,
    Script("one Session, a commit a swap", "session_loop"),
    Script("32 threads, a commit a swap", "threads"),
    STRONG,
    LAX,
)


def without_latency(folder: Path, rounds: int, number: int) -> list[Part]:
    """Swaps a second, and what 1,000 of them take of the processor."""
    with serving() as stub:
        measured = side_by_side(folder, stub, ALL, rounds, number, concurrency=256)
    goal = Goal(1.0, at_least=True, beside=_rates(measured[STRONG.who]), other="aiohttp's")
    return [
        Part(
            "Swaps a second, without latency or limit",
            rates(measured, goal),
            f"{number:,} swaps, whole processes; {_HOW}. A commit is on disk when it returns "
            "(synchronous=FULL, SQLite's default), except with NORMAL.",
        ),
        Part(
            "Processor seconds for 1,000 swaps",
            costs(measured, Goal(0.8)),
            "The same processes, all their threads together.",
        ),
    ]


def with_latency(folder: Path, rounds: int, number: int) -> list[Part]:
    """256 calls in flight, each answered after 150 ms."""
    with serving(latency=0.15) as stub:
        measured = side_by_side(folder, stub, (STRONG, LAX), rounds, number, concurrency=256)
    goal = Goal(0.9, at_least=True, beside=_rates(measured[STRONG.who]), other="aiohttp's")
    note = f"{number:,} swaps; {_HOW}."
    return [Part("256 in flight, answers after 150 ms, no limit", rates(measured, goal), note)]


def over_tls(folder: Path, rounds: int, number: int) -> list[Part]:
    """The same as without latency, encrypted."""
    folder.mkdir()
    few = Script(PLAIN.who, PLAIN.name, ("--first", str(number // 20)))
    with serving(tls_in=folder) as stub:
        measured = side_by_side(folder, stub, (few, STRONG), rounds, number, concurrency=32)
    goal = Goal(20.0, at_least=True, beside=_rates(measured[few.who]), other="the plain loop's")
    note = (
        f"{number:,} swaps, the plain loop {number // 20:,}: requests.post reads the bundle of authorities "
        f"for each call. {_HOW[0].upper()}{_HOW[1:]}."
    )
    return [
        Part("Swaps a second over TLS, without latency or limit", rates(measured, goal), note),
        Part("Processor seconds for 1,000 swaps over TLS", costs(measured), "The same processes."),
    ]


def side_by_side(
    folder: Path, stub: Stub, scripts: Sequence[Script], rounds: int, number: int, *, concurrency: int
) -> Measured:
    """What each takes for so many swaps, in turn, round by round; migrator comes first."""
    place = home(folder / "home", stub, concurrency=concurrency)
    write_rows(place.tokens, number)
    place.migrator("-q", "run", "tokens.csv", "--limit", "1")
    measured: dict[str, list[Swapped]] = {MIGRATOR: [], **{script.who: [] for script in scripts}}
    for turn in range(rounds):
        loaded = place.copied(folder / f"round-{turn}")
        measured[MIGRATOR].append(_witnessed(stub, partial(loaded.migrator, "-q", "resume")))
        for script in scripts:
            measured[script.who].append(
                _witnessed(stub, partial(place.competitor, script.name, stub, *script.options))
            )
    return measured


def _witnessed(stub: Stub, run: Callable[[], Taken]) -> Swapped:
    """What a process took, for as many pairs as the stub gave meanwhile."""
    stub.witnessed(anew=True)
    taken = run()
    return Swapped(stub.witnessed().pairs, taken)


def rates(measured: Measured, goal: Goal | None = None) -> tuple[Figure, ...]:
    """Swaps a second; the goal is migrator's."""
    return tuple(
        Figure(who, _rates(each), "/s", goal if who == MIGRATOR else None) for who, each in measured.items()
    )


def costs(measured: Measured, goal: Goal | None = None) -> tuple[Figure, ...]:
    """Processor seconds for 1,000 swaps; the goal is migrator's."""
    return tuple(
        Figure(who, tuple(one.cost for one in each), "s", goal if who == MIGRATOR else None)
        for who, each in measured.items()
    )


def _rates(each: Sequence[Swapped]) -> tuple[float, ...]:
    return tuple(one.rate for one in each)
