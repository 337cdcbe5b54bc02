"""The way that is measured is the real one, and the ledger that was filled is as one that was run."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.bench.filling import fill
from tests.bench.growth import STEPS
from tests.bench.home import Home
from tests.bench.journey import Journey, journey
from tests.bench.serving import serving

_TIMES = ("updated_at", "created_at")


def connections(place: Home) -> list[dict[str, Any]]:
    """Every column of each connection, but the moments and what is sealed or random."""
    with closing(sqlite3.connect(place.ledger)) as db:
        db.row_factory = sqlite3.Row
        rows = [dict(row) for row in db.execute("SELECT * FROM connections ORDER BY id")]
    left_out = {*_TIMES, "user_id", "row_print", "run_id"}
    return [{name: value for name, value in row.items() if name not in left_out} for row in rows]


def counted(place: Home) -> dict[str, Any]:
    status = json.loads(place.migrator("status", "--json").output)
    return {name: status[name] for name in ("total", "states", "app_types", "rejected", "pairs")}


def test_a_filled_ledger_says_what_one_says_that_was_run(tmp_path: Path) -> None:
    with serving() as stub:
        filled, run = (journey(tmp_path / name, stub, 12) for name in ("filled", "run"))
        for way in (filled, run):
            way.load()
        assert fill(filled.place.ledger, 3) == 8
        run.place.migrator("-q", "resume", "--limit", "8")
    one, other = counted(filled.place), counted(run.place)
    assert one["states"]["migrated"] == 9
    for status in (one, other):
        status["pairs"].pop("refresh_tokens_end", None)
    assert _without_moments(one) == _without_moments(other)
    assert connections(filled.place) == connections(run.place)


def test_a_filled_ledger_is_gone_on_with_and_handed_over(tmp_path: Path) -> None:
    with serving() as stub:
        way = journey(tmp_path / "home", stub, 30)
        way.load()
        way.nearly_done()
        taken, until = way.resume()
        assert 0 < until < taken.seconds
        way.export()
        way.report()
        kept = way.kept()
    assert [command for command, taken in kept.items() if not 0 < taken.memory < 150] == []
    assert json.loads(kept["status --json"].output)["pairs"]["exported"] == 21
    with closing(sqlite3.connect(way.place.ledger)) as db:
        assert db.execute("SELECT count(*) FROM token_pairs WHERE purged_at IS NULL").fetchone() == (0,)
    lines = (way.place.folder / "pairs.csv").read_text("utf-8").splitlines()
    assert len(lines) == 1 + 21
    assert len({line.partition(",")[0] for line in lines}) == 22


def test_each_step_of_growth_is_one_of_the_journeys() -> None:
    assert all(callable(getattr(Journey, step)) for step in STEPS)


def test_memory_is_the_programs_own_and_not_ours(tmp_path: Path) -> None:
    kept = b"x" * (200 << 20)  # really in use, unlike zeros
    with serving() as stub:
        way = journey(tmp_path / "home", stub, 1)
    shown = way.place.migrator("--version")
    assert 5 < shown.memory < 150
    assert len(kept) == 200 << 20


def _without_moments(document: Any) -> Any:
    """The same without texts: in these documents only moments are."""
    if isinstance(document, dict):
        return {
            name: _without_moments(value) for name, value in document.items() if not isinstance(value, str)
        }
    return document
