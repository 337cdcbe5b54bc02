"""Kills during an export: its file is there wholly or not at all, and handed over if and only if it is."""

from __future__ import annotations

import pytest

from tests.handover.conftest import Live
from tests.handover.killed_export import EXPORT_STEPS, NAMED
from tests.handover.support import csv_rows, json_lines

KILLER = "tests.handover.killed_export"


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.csv"])
@pytest.mark.parametrize("step", EXPORT_STEPS)
def test_a_kill_at_this_step_leaves_all_or_nothing(live: Live, step: str, name: str) -> None:
    life = live(3)
    life.killed(KILLER, step, "--", "export", "-o", name)
    path = life.folder / name
    assert path.exists() is (step in NAMED)
    if step != "after finish":
        assert life.handed_over() == 0, "it is not marked before anybody looked"
    life.done("refresh", "--all")
    assert life.litter() == [], "a file with tokens is left behind"
    if step in NAMED:
        rows = csv_rows(path) if name.endswith("csv") else json_lines(path)
        assert [row["connection_id"] for row in rows] == [life.key_of(number) for number in (1, 2, 3)]
        assert path.stat().st_mode & 0o777 == 0o600
        assert life.handed_over() == 3
        assert life.attempts("refresh") == [], "the application's pairs are left alone"
    else:
        assert life.handed_over() == 0
        assert len(life.attempts("refresh")) == 3, "nobody has them, so they must be kept alive"
    assert life.query("SELECT count(*) FROM exports WHERE finished_at IS NULL") == [(0,)]
    assert life.dead() == []
    assert life.json("export", "--since-last", "-o", "next.jsonl")["connections"] == (
        0 if step in NAMED else 3
    )


@pytest.mark.parametrize(
    "command",
    [["resume"], ["verify"], ["purge", "--yes"], ["run", "tokens.csv"], ["export", "-o", "b.jsonl"]],
    ids=lambda command: command[0],
)
def test_the_next_command_whatever_it_is_finds_out(live: Live, command: list[str]) -> None:
    life = live(3)
    life.killed(KILLER, "before finish", "--", "export", "-o", "a.jsonl")
    life.migrator(*command)
    assert life.handed_over() == 3
    assert life.query("SELECT count(*) FROM exports WHERE finished_at IS NULL") == [(0,)]


def test_a_file_that_was_taken_away_after_the_kill_was_handed_over(live: Live) -> None:
    # It had its name: the application may have fetched it before anybody called migrator again.
    life = live(3)
    life.killed(KILLER, "after naming", "--", "export", "-o", "pairs.jsonl")
    fetched = (life.folder / "pairs.jsonl").rename(life.folder / "fetched.jsonl")
    life.done("refresh", "--all")
    assert len(json_lines(fetched)) == 3
    assert life.attempts("refresh") == [], "the application's pairs were refreshed behind its back"
    assert life.litter() == []


def test_an_export_into_a_pipe_that_was_killed_leaves_its_pairs_alone_until_the_next(live: Live) -> None:
    life = live(3)
    life.killed(KILLER, "while writing", "--", "export", "-o", "-")
    life.done("refresh", "--all")
    assert life.attempts("refresh") == []
    life.done("purge", "--yes", code=1)
    assert life.json("export", "--since-last", "-o", "pairs.jsonl")["connections"] == 3
    assert life.handed_over() == 3
    assert life.query("SELECT count(*) FROM exports WHERE finished_at IS NULL") == [(0,)]


def test_a_second_export_that_was_killed_does_not_undo_the_first(live: Live) -> None:
    life = live(3)
    life.done("export", "-o", "pairs.jsonl")
    life.killed(KILLER, "while writing", "--", "export", "-o", "-")
    assert life.handed_over() == 3
    assert life.status()["pairs"]["exported"] == 3
    assert life.json("purge", "--yes")["purged"] == 3
