"""Kills during a delivery: the next process finds out what arrived, and nothing is lost or there twice."""

from __future__ import annotations

import pytest

from tests.handover.conftest import Live
from tests.handover.delivery.killed_delivery import ARRIVED, STEPS
from tests.handover.delivery.receivers import Application
from tests.handover.delivery.test_deliver import TABLE, in_ledger, keys
from tests.postgres import Database

KILLER = "tests.handover.delivery.killed_delivery"


@pytest.mark.parametrize("step", STEPS)
def test_a_table_says_what_arrived(live: Live, postgres: Database, step: str) -> None:
    life = live(5)
    life.killed(KILLER, step, "--", "deliver", "--to", postgres.url("pairs"))
    arrived = 4 if step in ARRIVED else 2
    assert postgres.execute("SELECT count(*) FROM pairs") == [(arrived,)]
    assert life.handed_over() == (4 if step == "after finish" else 2)
    told = life.json("deliver", "--to", postgres.url("pairs"))
    assert told["delivered"] == (1 if step == "after finish" else 3) - (step == "after hand-over") * 2
    assert postgres.execute(TABLE) == in_ledger(life)
    assert life.handed_over() == 5
    times = "SELECT sum(pairs) FROM delivery_times"
    assert life.query(times) == [(5,)], "each was delivered once, by the ledger's word"
    written = "SELECT sum(pairs) FROM migrator_deliveries WHERE arrived"
    assert postgres.execute(written) == [(5,)], "and by the table's"
    assert life.query("SELECT count(*) FROM exports WHERE finished_at IS NULL") == [(0,)]


@pytest.mark.parametrize("step", STEPS)
def test_a_program_gets_again_under_the_same_id_what_it_may_have(
    live: Live, application: Application, step: str
) -> None:
    life = live(5)
    life.killed(KILLER, step, "--", "deliver", "--to", application.url)
    life.done("deliver", "--to", application.url)
    lines = application.lines()
    assert sorted({str(line["key"]) for line in lines}) == keys(life)
    again = len(lines) - 5
    assert again == (2 if step == "after hand-over" else 0)
    assert len({(line["key"], line["delivery_id"]) for line in lines}) == 5
    assert life.handed_over() == 5
    assert life.query("SELECT count(*) FROM exports WHERE finished_at IS NULL") == [(0,)]


def test_what_may_be_with_the_application_is_not_refreshed_behind_its_back(
    live: Live, postgres: Database
) -> None:
    life = live(5)
    life.killed(KILLER, "after intent", "--", "deliver", "--to", postgres.url("pairs"))
    assert life.json("refresh", "--all")["refreshed"] == 1
    life.done("deliver", "--to", postgres.url("pairs"))
    assert postgres.execute(TABLE) == in_ledger(life)


def test_other_commands_leave_a_delivery_to_who_can_ask_the_receiver(live: Live, postgres: Database) -> None:
    life = live(5)
    life.killed(KILLER, "after hand-over", "--", "deliver", "--to", postgres.url("pairs"))
    life.done("resume")
    assert life.query("SELECT count(*) FROM exports WHERE finished_at IS NULL") == [(1,)]
    assert life.json("deliver", "--to", postgres.url("pairs"))["delivered"] == 1
    assert postgres.execute("SELECT count(*) FROM pairs") == [(5,)]
