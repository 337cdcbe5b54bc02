"""``export --to``: pairs into a table of the application's own database, a real PostgreSQL server's."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from tests.handover.conftest import Live
from tests.postgres import Database


def table(postgres: Database, sql: str) -> list[tuple[object, ...]]:
    with closing(psycopg.connect(postgres.url())) as db:
        return db.execute(sql).fetchall()


def test_the_application_finds_each_pair_in_its_own_table_and_the_ledger_remembers(
    live: Live, postgres: Database
) -> None:
    life = live(6, per_user=3)
    url = f"{postgres.url()}?table=oauth2_pairs"
    first = life.migrator("export", "--to", url)
    assert first.returncode == 0, first.stderr
    rows = table(postgres, "SELECT connection_id, refresh_token FROM oauth2_pairs ORDER BY connection_id")
    assert rows == sorted(
        (life.key_of(number), life.pairs()[life.tenant_of(number)].refresh_token.reveal())
        for number in range(1, 7)
    )
    assert life.status()["pairs"]["exported"] == 6
    assert life.json("refresh", "--all")["refreshed"] == 0, "they are the application's"
    again = life.migrator("export", "--to", url)
    assert again.returncode == 0, again.stderr
    assert table(postgres, "SELECT count(*) FROM oauth2_pairs") == [(6,)]


def test_one_row_a_user_is_known_by_its_key(live: Live, postgres: Database) -> None:
    life = live(6, per_user=3)
    url = f"{postgres.url()}?table=of_users"
    finished = life.migrator("export", "--to", url, "--per", "user")
    assert finished.returncode == 0, finished.stderr
    assert table(postgres, "SELECT count(DISTINCT key), count(*) FROM of_users") == [(2, 2)]


def test_a_server_that_refuses_gets_nothing_and_nothing_counts(live: Live, postgres: Database) -> None:
    life = live(2)
    wrong = postgres.url(password="HUSH7")
    finished = life.migrator("-v", "export", "--to", f"{wrong}?table=oauth2_pairs")
    assert finished.returncode == 2, finished.stderr
    assert "HUSH7" not in finished.stdout + finished.stderr
    assert life.status()["pairs"]["exported"] == 0
    assert life.json("refresh", "--all")["refreshed"] == 2


@pytest.mark.parametrize(
    ("step", "arrived"), [("after intent", False), ("while writing", False), ("before finish", True)]
)
def test_after_a_kill_the_next_export_asks_the_database_what_arrived(
    live: Live, postgres: Database, step: str, arrived: bool
) -> None:
    life = live(3)
    url = f"{postgres.url()}?table=pairs"
    life.killed("tests.handover.killed_export", step, "--", "export", "--to", url)
    told = life.migrator("refresh", "--all")
    assert "'migrator export --to' there asks the database what arrived" in told.stderr
    assert life.attempts("refresh") == [], "the application may have them"
    assert life.json("export", "--since-last", "--to", url)["connections"] == (0 if arrived else 3)
    assert table(postgres, "SELECT count(*) FROM pairs") == [(3,)]
    assert life.handed_over() == 3
    assert life.query("SELECT count(*) FROM exports WHERE finished_at IS NULL") == [(0,)]


def test_what_the_application_has_refreshed_since_is_left_to_it(live: Live, postgres: Database) -> None:
    life = live(2)
    url = f"{postgres.url()}?table=pairs"
    life.done("export", "--to", url)
    postgres.execute("UPDATE pairs SET refresh_token = 'fresh' WHERE connection_id = %s", life.key_of(1))
    life.done("export", "--to", url)
    assert postgres.execute("SELECT connection_id FROM pairs WHERE refresh_token = 'fresh'") == [
        (life.key_of(1),)
    ]


def test_another_database_is_not_asked(live: Live, postgres: Database) -> None:
    life = live(2)
    life.killed(
        "tests.handover.killed_export", "before finish", "--", "export", "--to", postgres.url("pairs")
    )
    elsewhere = f"sqlite:///{life.folder}/app.db?table=pairs"
    assert life.json("export", "--since-last", "--to", elsewhere)["connections"] == 2, "nobody knows"
