"""``export --to``: pairs into a table of the application's own database, a real PostgreSQL server's."""

from __future__ import annotations

from contextlib import closing

import psycopg

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
