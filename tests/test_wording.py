"""Numbers agree with what they count, in every sentence."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.wording import counted, lasting
from tests.conftest import SetScene

PLURALS = (
    "calls|renewals|swaps|pairs|users|connections|rows|tokens|links|answers|consents|values|days|cells"
    "|were|are|do|have|must consent again|rejected rows"
)


@given(st.integers(0, 10**9))
def test_only_one_is_one(number: int) -> None:
    assert counted(number, "pair") == f"{number:,} pair{'' if number == 1 else 's'}"
    assert (
        counted(number, "row was", "rows were") == f"{number:,} {'row was' if number == 1 else 'rows were'}"
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "1 second"),
        (90, "90 seconds"),
        (60, "1 minute"),
        (5400, "90 minutes"),
        (86400, "1 day"),
        (36000, "10 hours"),
    ],
)
def test_a_duration_is_said_in_its_greatest_unit(seconds: int, said: str) -> None:
    assert lasting(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize("output", ["report.md", "report.html"])
def test_a_migration_of_one_is_told_in_the_singular(set_scene: SetScene, output: str) -> None:
    scene = set_scene(1, mix="partner=1", expired=1.0)
    with (scene.folder / "tokens.csv").open("a") as tokens:
        tokens.write("x,partner\n")
    told = []
    for command in (
        ["run", "tokens.csv", "--dry-run", "--rate", "1"],
        ["run", "tokens.csv"],
        ["status"],
        ["verify", "--all"],
        ["refresh", "--all"],
        ["report", "-o", output],
        ["export", "-o", "pairs.jsonl"],
        ["purge"],
        ["ledger", "rekey"],
        ["reconsent", "list"],
    ):
        finished = scene.migrator(*command)
        told += [finished.stdout, finished.stderr]
    told.append((scene.folder / output).read_text("utf-8"))
    text = "\n".join(told)
    assert "call (1 renewal, 1 swap)" not in text  # two calls
    assert "2 calls (1 renewal, 1 swap) take" in text
    assert "at 1 call a minute" in text
    assert "1 pair stored" in text
    assert re.findall(rf"(?<![\d,.])1 (?:{PLURALS})\b", text) == []
