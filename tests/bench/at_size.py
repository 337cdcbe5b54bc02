"""What people wait for where there are many connections, beside what the same takes without us."""

from __future__ import annotations

import sys
from pathlib import Path

from tests import postgres
from tests.bench.figures import Figure, Goal, Part
from tests.bench.home import Home, forget
from tests.bench.journey import Journey, journey
from tests.bench.processes import Taken, taken
from tests.bench.serving import serving

MILLION = 1_000_000
MEMORY = Goal(150.0)
"""MiB, of every command, at a million rows too."""
_RESUME = "resume, until its first call"


def at_size(folder: Path, rounds: int, rows: int) -> list[Part]:
    """All of it, on one ledger."""
    with serving() as stub:
        way = journey(folder, stub, rows)
        return [*_before(way, rounds), *_after(way, rounds)]


def _before(way: Journey, rounds: int) -> list[Part]:
    """What comes before the first call: the plan, and reading everything in."""
    plans, checks, loads, again, plain, tools = [], [], [], [], [], []
    for _ in range(rounds):
        plans.append(way.plan())
        checks.append(way.place.script("competitors.dry_run", way.place.tokens))
        loads.append(way.load())
        again.append(way.plan_again())
        plain.append(_into_table(way.place))
        tools.append(_with_sqlite_utils(way.place))
    rows = way.rows
    of_checks = tuple(one.seconds for one in checks)
    return [
        Part(
            f"Dry run of {rows:,} rows",
            (
                *_ours("migrator run --dry-run", plans, Goal(3.0, beside=of_checks, other="DictReader's")),
                *_ours("the same, with a ledger that knows them all", again, None),
                *_figures("csv.DictReader, the same checks, two sets", checks),
            ),
        ),
        Part(
            f"Reading {rows:,} rows into the ledger",
            (
                *_ours("migrator run --limit 1", loads, Goal(30.0 * rows / MILLION)),
                Figure("its ledger", (way.place.size(),), "MiB on disk", Goal(350.0 * rows / MILLION)),
                *_figures("csv and executemany, in the clear", plain),
                *_figures("sqlite-utils insert --csv --pk, in the clear", tools),
            ),
            "The goals are those for 1,000,000 rows, in proportion. One connection is swapped, too.",
        ),
    ]


def _after(way: Journey, rounds: int) -> list[Part]:
    """What comes once nearly all is done. The goals are for a million: fewer connections would meet them."""
    whole = way.rows >= MILLION
    way.run()
    way.nearly_done()
    calls, states, reports, files = [], [], [], []
    for _ in range(rounds):
        calls.append(way.resume())
        states.append(way.status())
        reports.append(way.report())
        files.append(way.export())
    tables, copies = _tables(way, rounds)
    kept = way.kept()
    of_copies = Goal(3.0, beside=tuple(one.seconds for one in copies), other="COPY's")
    return [
        Part(
            f"{way.rows:,} connections, 99 % migrated",
            (
                Figure(_RESUME, tuple(until for _, until in calls), "s", Goal(2.0) if whole else None),
                Figure(_RESUME, tuple(taken.memory for taken, _ in calls), "MiB", MEMORY),
                *_ours("status", states, Goal(0.5) if whole else None),
                *_ours("report -o report.html", reports, Goal(2.1) if whole else None),
            ),
            "Goals are for 1,000,000 alone. Most pairs are copies of the first, made with SQL.",
        ),
        Part(
            f"Handing over {way.rows - way.rows // 100:,} pairs",
            (
                *_ours("export -o pairs.csv", files, of_copies),
                *_ours("export --to postgresql://…", tables, of_copies),
                *_figures("COPY of the same rows into a new table", copies),
            ),
        ),
        Part(
            f"The ledger of {way.rows:,} connections looked after",
            tuple(
                figure
                for command, once in kept.items()
                for figure in (
                    Figure(command, (once.seconds,), "s"),
                    Figure(command, (once.memory,), "MiB", MEMORY),
                )
            ),
            "Each once.",
        ),
    ]


def _tables(way: Journey, rounds: int) -> tuple[list[Taken], list[Taken]]:
    """Into a table of PostgreSQL's, by us and by ``COPY``."""
    tables, copies = [], []
    with postgres.serving() as server, server.database() as database:
        for turn in range(rounds):
            tables.append(way.export_to(database.url(f"ours_{turn}")))
            pairs = way.place.folder / "pairs.csv"
            copies.append(way.place.script("competitors.copy", pairs, database.url(), f"theirs_{turn}"))
            (ours,), (theirs,) = (
                database.execute(f"SELECT count(*) FROM {whose}_{turn}")[0] for whose in ("ours", "theirs")
            )
            assert ours == theirs, "not the same rows"
    return tables, copies


def _into_table(place: Home) -> Taken:
    table = place.folder / "table.db"
    forget(table)
    return place.script("competitors.load", place.tokens, table)


def _with_sqlite_utils(place: Home) -> Taken:
    table = place.folder / "table.db"
    forget(table)
    command = [sys.executable, "-m", "sqlite_utils", "insert", str(table), "tokens", str(place.tokens)]
    return taken([*command, "--csv", "--pk", "connection_id", "--silent"], place.folder, place.environment)


def _ours(who: str, each: list[Taken], goal: Goal | None) -> tuple[Figure, ...]:
    """Of a command of migrator's: ``goal`` is for the seconds, and memory has one in every case."""
    return _figures(who, each, goal, MEMORY)


def _figures(
    who: str, each: list[Taken], goal: Goal | None = None, memory: Goal | None = None
) -> tuple[Figure, ...]:
    return (
        Figure(who, tuple(one.seconds for one in each), "s", goal),
        Figure(who, tuple(one.processor for one in each), "s of the processor"),
        Figure(who, tuple(one.memory for one in each), "MiB", memory),
    )
