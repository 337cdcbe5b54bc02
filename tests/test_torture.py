"""The short form of ``make torture``: the same parts, a few minutes shorter."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.models import Action
from tests import postgres
from tests.torture import fuzz
from tests.torture.cutover import cutover
from tests.torture.delivery_kills import compare, delivered_through_kills
from tests.torture.kills import killed_over_and_over, strikes
from tests.torture.stage import scene
from tests.torture.window import windows

SEED = 11


def test_a_run_killed_over_and_over_says_nothing_untrue(tmp_path: Path) -> None:
    result = killed_over_and_over(tmp_path, "newest-wins", count=400, kills=10, seed=SEED)
    assert result.kills >= 9, "one may find its process at its end"
    assert result.full_disks == 1
    assert result.comparisons == 3
    assert result.swapped_twice > 0, "no call was under way at any kill: it shows nothing"
    assert result.untrue == 0
    assert result.migrated + result.lost + result.uncertain == 400


def test_every_call_is_timed_from_its_answer_to_its_commit(tmp_path: Path) -> None:
    with scene(tmp_path / "window", 20, seed=SEED, timeout=10) as stage:
        each = windows(stage.folder, stage.clean_environment())
        calls = stage.query("SELECT count(*) FROM attempts")
    assert [(len(each),)] == calls
    assert min(each) > 0


def test_deliveries_that_are_killed_with_their_database_lose_nothing_and_say_nothing_untrue(
    tmp_path: Path,
) -> None:
    result = delivered_through_kills(tmp_path, count=50, kills=5, seed=SEED)
    assert result.kills + result.crashes >= 5
    assert result.crashes > 0
    assert result.untrue == 0
    assert result.rows > 40


def test_whoever_compares_deliveries_sees_what_is_wrong_with_them(tmp_path: Path) -> None:
    """The witness of the test above, tried on what it must see."""
    with (
        scene(tmp_path, 5, "repeat=newest-wins", seed=SEED, timeout=10) as stage,
        postgres.serving() as server,
        server.database() as database,
    ):
        assert stage.migrator("run", "tokens.csv", "--deliver", database.url("pairs")).returncode == 0
        assert compare(stage, database, {}) == []
        (first,), (second,), (third,), *_ = database.execute("SELECT connection_id FROM pairs ORDER BY 1")
        assert compare(stage, database, {first: "R"}) == [
            f"{first}: the application's own pair was overwritten"
        ]
        database.execute("DELETE FROM pairs WHERE connection_id = %s", first)
        database.execute("UPDATE pairs SET refresh_token = 'R' WHERE connection_id = %s", second)
        database.execute("UPDATE migrator_deliveries SET pairs = pairs + 1")
        stage.alter(
            "DELETE FROM handings WHERE connection_id = (SELECT id FROM connections WHERE key = ?)", third
        )
        stage.alter(
            "INSERT INTO outbox (connection_id, pair_id, since)"
            " SELECT connection_id, id, '' FROM token_pairs WHERE connection_id = 1"
        )
        found = compare(stage, database, {})
    assert f"{first}: migrated, and not in the table" in found
    assert f"{second}: another pair is in the table than in the ledger" in found
    assert f"{second}: the pair in the table does not work" in found
    assert "4 are handed over by the ledger's word, and 5 have a pair" in found
    assert "1 in the outbox" in found
    assert [line for line in found if "delivered by the ledger's word" in line]


def test_a_cutover_is_timed_from_the_answer_to_the_clients_use(tmp_path: Path) -> None:
    times = cutover(tmp_path, count=40, seed=SEED)
    assert times.pairs == 40
    assert 0 < times.median <= times.high <= times.longest


def test_kills_are_chosen_by_the_seed_alone() -> None:
    chosen = list(strikes(20_000, 500, SEED))
    assert chosen == list(strikes(20_000, 500, SEED))
    assert chosen != list(strikes(20_000, 500, SEED + 1))
    early = [strike for strike in chosen if strike.target is None]
    assert len(early) == 100
    assert len({int(4 * strike.pause) for strike in early}) == 8, "not all of the two seconds is hit"
    assert sum(strike.full_disk for strike in chosen) == 50


def test_damaged_files_raise_nothing_and_lose_no_row() -> None:
    counts = fuzz.files(400, SEED)
    assert not [name for name in counts if name.startswith("traceback")]
    assert counts["rows lost"] == 0
    assert counts["secrets in the clear"] == 0
    assert counts["files taken in"] == 400 // fuzz.TAKEN_IN
    assert counts["accepted"] > 1000
    assert counts["rejected"] > 100
    assert counts["files that cannot be used"] > 10


@pytest.mark.parametrize("action", list(fuzz.EXCHANGES))
def test_damaged_answers_raise_nothing_and_make_nothing_untrue(action: Action) -> None:
    counts = fuzz.answers(action, 800, SEED)
    assert not [name for name in counts if name.startswith("traceback")]
    assert counts["untrue"] == 0
    assert min(counts["believed"], counts["uncertain"]) > 10
