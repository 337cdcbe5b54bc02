"""How much of a provider's limit is used at 150 ms, and how many calls it refuses: as the stub saw it.

A window is watched for longer than it is long. Both programs are at work at the same time, each with a stub
of its own: neither takes much of the processor.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Figure, Goal, Part
from tests.bench.home import home
from tests.bench.rows import write_rows
from tests.bench.serving import serving
from tests.bench.stub import MINUTE, Witnessed

LIMIT = 10_000
"""A minute: Xero's."""
LATENCY = 0.15
AT_ONCE = 64
EACH_SECOND = 167
"""What a script allows itself: the limit, rounded as people do."""


@dataclass(frozen=True)
class Form:
    """How the provider counts."""

    name: str
    burst: int | None
    """The size of the bucket; None: a window."""
    seconds: int
    """How long to watch."""


FORMS = (
    Form("window", None, 75),
    Form("bucket of 10", 10, 30),
    Form("bucket of 32", 32, 30),
    Form("bucket of 2,000", 2_000, 30),
)


def limits(folder: Path) -> list[Part]:
    """All forms, one after the other."""
    return [
        Part(
            f"A limit of {LIMIT:,} a minute, answers after 150 ms",
            tuple(figure for form in FORMS for figure in _under(folder / f"{form.burst}", form)),
            "Shares are of the calls that passed between the first and the last, for 75 s or 30. aiohttp has "
            f"a semaphore of {EACH_SECOND} a second, 256 in flight, and waits as Retry-After says.",
        )
    ]


def _under(folder: Path, form: Form) -> tuple[Figure, ...]:
    """Both programs under one form of the limit."""
    with (
        serving(latency=LATENCY, limit=LIMIT, burst=form.burst) as ours,
        serving(latency=LATENCY, limit=LIMIT, burst=form.burst) as theirs,
    ):
        number = LIMIT * form.seconds // int(MINUTE)
        place = home(folder, ours, limits=None, concurrency=AT_ONCE)
        write_rows(place.tokens, number)
        place.migrator("-q", "run", "tokens.csv", "--limit", "1")
        ours.witnessed(anew=True)
        # In a small bucket it takes more than twice as long for each.
        first = number if form.burst is None else number // 2
        script = ("--at-once", "256", "--rate", str(EACH_SECOND), "--first", str(first))
        with ThreadPoolExecutor() as pool:
            job = pool.submit(place.migrator, "-q", "resume")
            place.competitor("aiohttp_tasks", theirs, *script)
            job.result()
        return (
            *_figures(f"migrator, {form.name}", ours.witnessed(), Goal(0.99, at_least=True), Goal(0)),
            *_figures(f"aiohttp, {form.name}", theirs.witnessed()),
        )


def _figures(
    who: str, seen: Witnessed, share: Goal | None = None, refused: Goal | None = None
) -> tuple[Figure, ...]:
    used = (seen.pairs - 1) / (seen.last - seen.first) * MINUTE / LIMIT
    return (
        Figure(who, (used,), "of the limit used", share),
        Figure(who, (float(seen.refused),), "calls refused", refused),
    )
