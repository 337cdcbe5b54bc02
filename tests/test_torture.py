"""The short form of ``make torture``: the same parts, a few minutes shorter."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.models import Action
from tests.torture import fuzz
from tests.torture.kills import killed_over_and_over, strikes
from tests.torture.stage import scene
from tests.torture.window import windows

SEED = 11


def test_a_run_killed_over_and_over_says_nothing_untrue(tmp_path: Path) -> None:
    result = killed_over_and_over(tmp_path, "newest-wins", count=400, kills=10, seed=SEED)
    assert result.kills == 10
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
