"""No pair takes the place of a newer one, or of one that the application has refreshed: whoever brings it."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from migrator.ledger.file.times import time_text
from migrator.ledger.generations import generation_of
from tests.handover.conftest import Live
from tests.handover.delivery.receivers import Application
from tests.handover.delivery.test_deliver import TABLE, in_ledger
from tests.handover.support import Life
from tests.postgres import Database

EARLY = datetime.fromisoformat("2020-01-01")

FRESH = "UPDATE pairs SET access_token = 'fresh', refresh_token = 'fresh'"


def back_up(life: Life) -> None:
    life.done("ledger", "copy", "backup.db")


def restore(life: Life) -> None:
    for name in ("migration.db-wal", "migration.db-shm"):
        (life.folder / name).unlink(missing_ok=True)
    shutil.move(life.folder / "backup.db", life.ledger)


def test_a_restored_backup_of_the_ledger_does_not_undo_what_the_application_refreshed(
    live: Live, postgres: Database
) -> None:
    life = live(3)
    back_up(life)
    life.done("deliver", "--to", postgres.url("pairs"))
    postgres.execute(FRESH)
    restore(life)
    told = life.json("deliver", "--to", postgres.url("pairs"))
    assert told["delivered"] == 3, "it does not know any better"
    assert postgres.execute("SELECT DISTINCT refresh_token FROM pairs") == [("fresh",)]
    assert life.json("deliver", "--to", postgres.url("pairs"))["waiting"] == 0


def test_a_restored_backup_does_not_bring_back_a_pair_that_was_replaced(
    live: Live, postgres: Database
) -> None:
    life = live(3)
    back_up(life)
    life.done("refresh", "--all")
    life.done("deliver", "--to", postgres.url("pairs"))
    newest = in_ledger(life)
    restore(life)
    life.done("deliver", "--to", postgres.url("pairs"))
    life.done("export", "--to", postgres.url("pairs"))
    assert postgres.execute(TABLE) == newest


def test_an_export_beside_deliveries_does_not(live: Live, postgres: Database) -> None:
    life = live(3)
    life.done("deliver", "--to", postgres.url("pairs"))
    postgres.execute(FRESH)
    life.done("export", "--to", postgres.url("pairs"))
    assert postgres.execute("SELECT DISTINCT refresh_token FROM pairs") == [("fresh",)]


def test_an_unfinished_delivery_of_a_restored_backup_is_settled_by_what_the_table_says(
    live: Live, postgres: Database
) -> None:
    life = live(5)
    killer = "tests.handover.delivery.killed_delivery"
    life.killed(killer, "after hand-over", "--", "deliver", "--to", postgres.url("pairs"))
    back_up(life)
    life.done("deliver", "--to", postgres.url("pairs"))
    postgres.execute(FRESH)
    restore(life)
    life.done("deliver", "--to", postgres.url("pairs"))
    assert postgres.execute("SELECT DISTINCT refresh_token FROM pairs") == [("fresh",)]
    assert life.handed_over() == 5


def test_a_clock_that_was_set_back_makes_no_newer_pair_an_older_one(live: Live, postgres: Database) -> None:
    life = live(2)
    life.done("deliver", "--to", postgres.url("pairs"))
    life.alter("DELETE FROM handings")  # as a user's new consent does: there is a pair that nobody has
    life.done("refresh", "--all")
    life.alter("UPDATE token_pairs SET obtained_at = '2020-01-01T00:00:00.000000Z' WHERE replaced_at IS NULL")
    life.done("deliver", "--to", postgres.url("pairs"))
    assert postgres.execute(TABLE) == in_ledger(life)


@given(st.lists(st.datetimes(EARLY, EARLY.replace(year=2030)), min_size=1, max_size=6))
def test_of_one_connections_pairs_each_has_a_greater_generation_than_those_before(
    moments: list[datetime],
) -> None:
    texts = [time_text(moment.replace(tzinfo=UTC)) for moment in moments]
    generations = [
        generation_of(text, json.dumps([max(texts[:number], default=None), number]))
        for number, text in enumerate(texts)
    ]
    assert generations == sorted(set(generations))
    assert generations[0] == round(moments[0].replace(tzinfo=UTC).timestamp() * 1_000_000)


# --- who waits ---


def test_an_export_takes_its_pairs_out_of_the_outbox(live: Live, application: Application) -> None:
    life = live(3)
    application.tell("refuse", life.key_of(1))
    life.done("deliver", "--to", application.url, code=1)
    assert life.query("SELECT connection_id FROM outbox") == [(1,)]
    life.done("export", "-o", "pairs.jsonl")
    assert life.query("SELECT connection_id FROM outbox") == []
    assert life.status()["delivery"]["refused"] == 0


def test_whoever_has_no_pair_any_more_waits_for_nothing(live: Live, application: Application) -> None:
    life = live(3)
    application.tell("refuse", life.key_of(1))
    life.done("deliver", "--to", application.url, code=1)
    life.done("revoke", life.key_of(1), "--yes")
    application.no_longer("refuse")
    assert life.json("deliver", "--to", application.url)["delivered"] == 0
    assert life.query("SELECT connection_id FROM outbox") == []
