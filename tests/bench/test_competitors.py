"""What we are measured beside does what it claims: else it would be quick for nothing."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from migrator import sandbox
from migrator.sandbox.issuing import client_files
from tests.bench.competitors.task import VARIABLES
from tests.bench.home import Home, home
from tests.bench.processes import FailedError
from tests.bench.rows import write_rows
from tests.bench.serving import Stub, serving
from tests.postgres import Database

SCRIPTS = ("plain_loop", "session_loop", "threads", "aiohttp_tasks")


def stored(place: Home, name: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(place.folder / f"{name}.db")) as db:
        return db.execute(
            "SELECT connection_id, access_token, refresh_token, tenant_id FROM pairs ORDER BY connection_id"
        ).fetchall()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_stores_for_each_token_the_pair_that_it_won(name: str, tmp_path: Path) -> None:
    with serving() as stub:
        place = home(tmp_path / "home", stub, concurrency=4)
        write_rows(place.tokens, 5)
        place.competitor(name, stub, "--at-once", "3")
        assert stub.witnessed().pairs == 5
    pairs = stored(place, name)
    assert [key for key, *_ in pairs] == [f"customer-{number}" for number in range(1, 6)]
    assert len({access for _, access, *_ in pairs}) == 5
    for number, (_, _, refresh, tenant) in enumerate(pairs, start=1):
        assert refresh.startswith(f"T{number:029d}-")
        assert tenant == f"00000000-0000-4000-8000-{number:012d}"


@pytest.mark.parametrize("name", SCRIPTS)
def test_its_signatures_are_right(name: str, tmp_path: Path) -> None:
    state = tmp_path / "sandbox.db"
    rows = sandbox.issue_tokens(state, 3, "partner=1", expired=0.0, seed=7, provider="xero")
    known = sandbox.credentials(state)
    with sandbox.running(state, (), seed=7) as running:
        provider = Stub(running.base_url)
        place = home(tmp_path / "home", provider, concurrency=1)
        client_files.write_tokens(place.tokens, rows)
        secrets = {variable: known[variable.lower()] for variable in VARIABLES}
        place = replace(place, environment={**place.environment, **secrets})
        place.competitor(name, provider)
    assert len(stored(place, name)) == 3


def test_the_strong_ones_script_waits_when_it_is_told_to(tmp_path: Path) -> None:
    with serving(limit=120, burst=1) as stub:
        place = home(tmp_path / "home", stub, concurrency=1)
        write_rows(place.tokens, 2)
        place.competitor("aiohttp_tasks", stub, "--at-once", "2", "--rate", "50")
        seen = stub.witnessed()
    assert seen.pairs == 2
    assert seen.refused >= 1
    assert len(stored(place, "aiohttp_tasks")) == 2


def test_the_dry_run_beside_ours_tells_rows_apart(tmp_path: Path) -> None:
    with serving() as stub:
        place = home(tmp_path / "home", stub, concurrency=1)
    write_rows(place.tokens, 6)
    with place.tokens.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    column = header.index
    rows[1][column("oauth_token")] = rows[0][column("oauth_token")]
    rows[2][column("app_type")] = "public"
    rows[3][column("oauth_token_secret")] = ""
    rows[4][column("connection_id")] = "1.5E+12"
    with place.tokens.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    said = place.script("competitors.dry_run", place.tokens).output.split()
    counted = dict(zip(said[::2], said[1::2], strict=True))
    assert counted == dict.fromkeys(("consent", "damaged_cell", "duplicate", "missing_token"), "1") | {
        "swap": "2"
    }


def test_what_reads_in_and_hands_over_beside_us_has_every_row(tmp_path: Path, postgres: Database) -> None:
    with serving() as stub:
        place = home(tmp_path / "home", stub, concurrency=1)
    write_rows(place.tokens, 7)
    table = place.folder / "table.db"
    place.script("competitors.load", place.tokens, table)
    with closing(sqlite3.connect(table)) as db:
        assert db.execute("SELECT count(*), min(connection_id) FROM tokens").fetchone() == (7, "customer-1")
    place.script("competitors.copy", place.tokens, postgres.url(), "theirs")
    assert postgres.execute("SELECT count(*), max(connection_id) FROM theirs") == [(7, "customer-7")]


def test_a_program_that_fails_is_no_figure(tmp_path: Path) -> None:
    with serving() as stub:
        place = home(tmp_path / "home", stub, concurrency=1)
    with pytest.raises(FailedError, match=r"tokens\.csv"):
        place.script("competitors.dry_run", place.tokens)
