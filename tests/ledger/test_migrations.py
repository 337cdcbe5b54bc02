"""The ledger's migrations: what ledgers have run is never changed, and what older versions wrote is kept."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
from sqlite_utils import Database

from migrator.ledger import invitations, schema, schema_version
from migrator.ledger.access import open_for_job
from migrator.ledger.file.keys import make_key
from migrator.ledger.file.opening import connect, create_private
from migrator.ledger.pair_counts import Pairs
from migrator.ledger.status import read_status
from migrator.models import State

RUN = {
    "m001_first": "856c63193c2bb814",
    "m002_unreadable_answers": "0e4d05b10ab815cd",
    "m003_handover": "8d9ce3b28be730b8",
    "m004_consent": "c7972e2bb40e623f",
    "m005_answers_read_again": "c33f29c0d1163181",
    "m006_resume_at": "ff5cd81e265fa7b3",
    "m007_consents_told": "e538a85500a22b80",
    "m008_pairs_by_attempt": "c619a751822b9727",
    "m009_any_provider": "c7fd4a80d43d6609",
    "m010_support_ids_told": "0dc9ef0d75918f91",
    "m011_rows_of_less": "b2c4f22d315c24e8",
    "m012_told_at_once": "ebaaec6680267b60",
    "m013_keys_when_full": "607e6db303f0d326",
    "m014_deliveries": "a67b67cd525904a7",
}
"""Every migration that a ledger may have run, and the beginning of the SHA-256 of its statements."""

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Recorder:
    """Takes statements down, in the place of a database."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def execute(self, statement: str) -> None:
        self.statements.append(statement)


@pytest.mark.parametrize("module", schema.IN_ORDER)
def test_a_migration_that_ledgers_have_run_is_the_same_to_the_byte(module: ModuleType) -> None:
    recorder = Recorder()
    module.migrate(cast("Any", recorder))
    digest = hashlib.sha256("\n".join(recorder.statements).encode()).hexdigest()
    name = module.__name__.rpartition(".")[2]
    assert RUN.get(name, digest[:16]) == digest[:16]


def test_none_is_missing_and_a_new_one_comes_last() -> None:
    names = [migration.name for migration in schema.migrations._migrations]
    assert names[: len(RUN)] == list(RUN)
    assert names == sorted(names)


def test_whoever_reads_knows_the_same_migrations_by_their_files() -> None:
    assert sorted(schema_version._known()) == [one.name for one in schema.migrations._migrations]


@pytest.fixture
def of_version_6(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A ledger of the version before consents were told of, empty."""
    path = tmp_path / "ledger.db"
    create_private(path)
    with closing(connect(path, readonly=False)) as ledger:
        schema.migrations.apply(Database(ledger), stop_before="m007_consents_told")
        ledger.execute("INSERT INTO runs (command, process, started_at) VALUES ('run', 1, '')")
        yield ledger


def invite(
    ledger: sqlite3.Connection, key: str, state: State, reason: str, app_type: str = "public", **columns: Any
) -> None:
    """A connection with an invitation of the same name, as version 6 wrote them."""
    connection_id = ledger.execute(
        """INSERT INTO connections (key, provider, app_type, organisation, tenant_id, tenant_type,
           contact_email, state, reason, row_print, run_id, created_at, updated_at)
           VALUES (?, 'xero', ?, 'It', 't', 'ORGANISATION', 'a@b.example', ?, ?, x'', 1, '', '')""",
        [key, app_type, state, reason],
    ).lastrowid
    values = {
        "id": key,
        "connection_id": connection_id,
        "run_id": 1,
        "created_at": "2026-04-01T00:00:00.000000Z",
        "expires_at": "2999-01-01T00:00:00.000000Z",
        **columns,
    }
    marks = ", ".join("?" * len(values))
    ledger.execute(f"INSERT INTO invitations ({', '.join(values)}) VALUES ({marks})", list(values.values()))


DONE_AT = "2026-04-02T00:00:00.000000Z"


def test_invitations_of_an_older_version_say_why_they_were_made_and_where_they_stand(
    of_version_6: sqlite3.Connection,
) -> None:
    ledger, asked = of_version_6, State.NEEDS_CONSENT
    invite(ledger, "untouched", asked, "public_app")
    invite(ledger, "opened", asked, "grant_revoked", "partner", opened_at=DONE_AT)
    invite(ledger, "lost", asked, "response_lost", outcome="response_lost")
    invite(ledger, "other", asked, "other_tenant_connected", "private", outcome="other_tenant")
    invite(ledger, "partner", asked, "no_tenant_connected", "partner", outcome="no_tenant")
    invite(ledger, "refused", asked, "private_app", "private", outcome="refused", refused_at=DONE_AT)
    invite(ledger, "checking", State.UNCERTAIN, "unverified_pair", outcome="unverified")
    connected = {"outcome": "connected", "finished_at": DONE_AT, "connected": '["It"]', "tenants": '["t"]'}
    invite(ledger, "finished", State.MIGRATED, "", **connected)
    schema.prepare(ledger, create=False)
    schema.check(ledger)
    told = ledger.execute("SELECT key, why, invitation, said, lost_track FROM invited").fetchall()
    assert told == [
        ("untouched", "public_app", "invited", None, 0),
        ("opened", "grant_revoked", "opened", None, 0),
        ("lost", "public_app", "failed", None, 0),
        ("other", "private_app", "failed", None, 0),
        ("partner", "no_tenant_connected", "failed", None, 0),
        ("refused", "private_app", "refused", None, 0),
        ("checking", "public_app", "checking", None, 0),
        ("finished", "", "finished", None, 0),
    ]
    assert ledger.execute("SELECT count(*) FROM connections WHERE served_by IS NOT NULL").fetchone() == (0,)


def test_links_of_an_older_version_go_on_working(of_version_6: sqlite3.Connection) -> None:
    ledger = of_version_6
    invite(ledger, "lost", State.NEEDS_CONSENT, "response_lost", outcome="response_lost")
    connected = {"outcome": "connected", "finished_at": DONE_AT, "connected": '["It"]', "tenants": '["t"]'}
    invite(ledger, "finished", State.MIGRATED, "", **connected)
    schema.prepare(ledger, create=False)
    found = invitations.invitation(ledger, "lost")
    assert found is not None
    assert (found.key, found.why, found.reason, found.outcome) == (
        "lost", "public_app", "response_lost", "response_lost",
    )  # fmt: skip
    finished = invitations.invitation(ledger, "finished")
    assert finished is not None
    assert (finished.connected, finished.tenants, finished.has_pair) == (("It",), ("t",), False)
    assert invitations._invite(ledger, 1, NOW + timedelta(days=30), NOW, []) == 0, (
        "the one that counts still does"
    )
    assert invitations._lengthen(ledger, datetime(2999, 6, 1, tzinfo=UTC), NOW) == 1
    assert [one.id for one in invitations.remaining(ledger, "finished", NOW)] == ["lost"]


def test_a_pair_of_an_older_version_is_its_connections_own(of_version_6: sqlite3.Connection) -> None:
    ledger = of_version_6
    invite(ledger, "finished", State.MIGRATED, "", outcome="connected", finished_at=DONE_AT)
    ledger.execute(
        "INSERT INTO attempts (connection_id, run_id, action, started_at) VALUES (1, 1, 'exchange_code', '')"
    )
    ledger.execute(
        """INSERT INTO token_pairs (connection_id, attempt_id, access_token, refresh_token, scope, tenant_id,
           user_id, expires_at, obtained_at) VALUES (1, 1, x'01', x'02', '', 't', 'u', '', '')"""
    )
    before = ledger.execute("SELECT * FROM pairs").fetchall()
    assert before, "there is none: the test shows nothing"
    schema.prepare(ledger, create=False)
    assert ledger.execute("SELECT * FROM pairs").fetchall() == before
    assert ledger.execute("SELECT connections, pairs FROM users").fetchall() == [(1, 1)]


def test_a_migration_that_is_cut_short_is_undone_and_run_again(
    of_version_6: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite(of_version_6, "untouched", State.NEEDS_CONSENT, "public_app")
    (told,) = [one for one in schema.migrations._migrations if one.name == "m007_consents_told"]
    before = of_version_6.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    whole = told.fn

    def cut_short(db: Database) -> None:
        whole(db)
        raise KeyError("cut short")

    monkeypatch.setattr(told, "fn", cut_short)
    with pytest.raises(KeyError, match="cut short"):
        schema.prepare(of_version_6, create=False)
    assert of_version_6.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall() == before
    monkeypatch.undo()
    schema.prepare(of_version_6, create=False)
    assert of_version_6.execute("SELECT why FROM invitations").fetchall() == [("public_app",)]


TABLES = (
    "runs", "rejects", "connections", "attempts", "legacy_tokens", "token_pairs", "exports", "handings",
    "invitations", "consents",
)  # fmt: skip
VIEWS = ("summary", "needs_consent", "problems", "pairs", "users", "invited")


@pytest.fixture
def of_version_8(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A ledger of the version that knew one provider, with something in every table."""
    path = tmp_path / "ledger.db"
    create_private(path)
    with closing(connect(path, readonly=False)) as ledger:
        schema.migrations.apply(Database(ledger), stop_before="m009_any_provider")
        ledger.execute("INSERT INTO runs (command, process, started_at) VALUES ('run', 1, '')")
        ledger.execute("INSERT INTO rejects VALUES (1, 1, 'tokens.csv', 3, 'missing_token', 'None.')")
        invite(ledger, "finished", State.MIGRATED, "", "partner", outcome="connected", finished_at=DONE_AT)
        invite(ledger, "waits", State.NEEDS_CONSENT, "public_app")
        invite(ledger, "mismatch", State.MIGRATED, "tenant_mismatch", "partner")
        for connection_id in (1, 3):
            ledger.execute(
                """INSERT INTO attempts (id, connection_id, run_id, action, started_at, outcome, answer)
                   VALUES (?1, ?1, 1, 'swap', '', 'done', x'05')""",
                [connection_id],
            )
            ledger.execute(
                """INSERT INTO legacy_tokens (connection_id, generation, material, token_print,
                   material_print, expires_at, obtained_at)
                   VALUES (?1, 1, x'01', x'30313233343536373839414243444546', x'03', '2027', '')""",
                [connection_id],
            )
            ledger.execute(
                """INSERT INTO token_pairs (connection_id, attempt_id, access_token, refresh_token, scope,
                   tenant_id, user_id, expires_at, refresh_expires_at, obtained_at)
                   VALUES (?1, ?1, x'01', x'02', 's', 't', 'u', '2026-05-01', '2026-06-01', '')""",
                [connection_id],
            )
        ledger.execute(
            "INSERT INTO exports (run_id, target, started_at, finished_at) VALUES (1, 'f', '', '')"
        )
        ledger.execute("INSERT INTO handings VALUES (1, 1, 1, 1)")
        ledger.execute("INSERT INTO consents VALUES ('s', 'finished', 1, '')")
        yield ledger


def rows_of(ledger: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    cursor = ledger.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


@pytest.mark.parametrize("last", ["m001_first", "m009_any_provider", "m013_keys_when_full"])
def test_a_job_brings_the_ledger_of_any_version_to_this_one(tmp_path: Path, last: str) -> None:
    path = tmp_path / "ledger.db"
    create_private(path)
    with closing(connect(path, readonly=False)) as ledger:
        schema.migrations.apply(Database(ledger), stop_before=last)
    told = threading.Event()
    key = make_key(path)
    with open_for_job(path, key, lambda: NOW, create=last == "m001_first", hurry=told) as opened:
        assert opened.status().total == 0
    with closing(connect(path, readonly=True)) as ledger:
        schema_version.check(ledger)


def test_what_one_provider_wrote_is_kept_for_any(of_version_8: sqlite3.Connection) -> None:
    ledger = of_version_8
    before = {name: rows_of(ledger, name) for name in (*TABLES, *VIEWS)}
    assert all(before.values()), "one is empty: the test shows nothing"
    schema.prepare(ledger, create=False)
    schema.check(ledger)
    gone = {"connections": {"created_at"}, "legacy_tokens": {"material_print", "obtained_at"}}
    new: dict[str, dict[str, Any]] = {
        "legacy_tokens": {"token_print": b"0123456789"},
        "connections": {"consumer_key": "", "disabled_at": None},
        "attempts": {"support_id": ""},
        "token_pairs": {"has_refresh_token": 1},
        "problems": {"last_support_id": ""},
        "exports": {"delivery_id": None, "delivery": 0},
    }
    for name, rows in before.items():
        kept = ({column: row[column] for column in row.keys() - gone.get(name, set())} for row in rows)
        assert rows_of(ledger, name) == [{**row, **new.get(name, {})} for row in kept]
    assert ledger.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert ledger.execute("PRAGMA foreign_key_check").fetchall() == []
    assert ledger.execute("PRAGMA writable_schema").fetchone() == (0,)


def test_whoever_has_an_older_ledger_open_writes_by_the_new_rules_and_the_kept_ones(
    of_version_8: sqlite3.Connection, tmp_path: Path
) -> None:
    with closing(connect(tmp_path / "ledger.db", readonly=False)) as other:
        assert other.execute("SELECT count(*) FROM connections").fetchone() == (3,)
        schema.prepare(of_version_8, create=False)
        for db in (of_version_8, other):
            db.execute("UPDATE connections SET app_type = '', tenant_type = '', consumer_key = 'k'")
            db.execute("UPDATE token_pairs SET expires_at = NULL")
            assert len(db.execute("SELECT * FROM pairs WHERE expires_at IS NULL").fetchall()) == 2
            for refused in (
                "UPDATE connections SET state = 'done'",
                "UPDATE connections SET app_type = NULL",
                "UPDATE connections SET key = 'one for all'",
                "UPDATE token_pairs SET connection_id = 99",
                "DELETE FROM connections",
            ):
                with pytest.raises(sqlite3.IntegrityError):
                    db.execute(refused)


def test_a_ledger_is_made_for_any_provider_wholly_or_stays_what_it_was(
    of_version_8: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lifted,) = [one for one in schema.migrations._migrations if one.name == "m009_any_provider"]
    before = of_version_8.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    whole = lifted.fn

    def cut_short(db: Database) -> None:
        whole(db)
        raise KeyError("cut short")

    monkeypatch.setattr(lifted, "fn", cut_short)
    with pytest.raises(KeyError, match="cut short"):
        schema.prepare(of_version_8, create=False)
    assert of_version_8.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall() == before
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        of_version_8.execute("UPDATE connections SET app_type = ''")
    monkeypatch.undo()
    schema.prepare(of_version_8, create=False)
    of_version_8.execute("UPDATE connections SET app_type = ''")


def test_what_an_older_version_wrote_is_counted_like_what_is_new(of_version_8: sqlite3.Connection) -> None:
    ledger = of_version_8
    moment = "2026-05-01T00:00:00.000000Z"
    ledger.execute("UPDATE runs SET started_at = ?", [moment])
    ledger.execute("UPDATE token_pairs SET refresh_expires_at = ?, verified_at = ?", [moment, moment])
    schema.prepare(ledger, create=False)
    told = read_status(ledger, NOW)
    assert (told.total, told.attempts, told.pairs) == (3, {"swap": 2}, Pairs(2, 2, 1, 1, 1, told.pairs.ends))
    assert (told.pairs.ends.within_a_week, told.pairs.ends.ended) == (1, 1), "the other one was handed over"
    assert ledger.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.fixture
def of_version_11(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A ledger whose keys have an index that SQLite made, with rows enough for several of its pages."""
    path = tmp_path / "ledger.db"
    create_private(path)
    with closing(connect(path, readonly=False)) as ledger:
        schema.migrations.apply(Database(ledger), stop_before="m013_keys_when_full")
        ledger.execute("INSERT INTO runs (command, process, started_at) VALUES ('run', 1, '')")
        for number in range(1_000):
            ledger.execute(
                """INSERT INTO connections (key, provider, app_type, organisation, tenant_id, tenant_type,
                   contact_email, state, reason, row_print, run_id, updated_at)
                   VALUES (?, 'xero', '', '', '', '', '', 'pending', '', x'', 1, '')""",
                [f"key {number * 7 % 1_000}"],
            )
        yield ledger


BY_KEY = "SELECT id FROM connections WHERE key = ?"


def test_the_index_of_the_keys_of_an_older_version_goes_on_as_ours(of_version_11: sqlite3.Connection) -> None:
    ledger = of_version_11
    keys = ledger.execute("SELECT id, key FROM connections").fetchall()
    (root,) = ledger.execute("SELECT rootpage FROM sqlite_master WHERE name LIKE '%auto%conn%'").fetchone()
    schema.prepare(ledger, create=False)
    schema.check(ledger)
    assert ledger.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    (found,) = ledger.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'connections_by_key'"
    ).fetchone()
    assert found == root, "no page of it was written anew"
    plan = ledger.execute(f"EXPLAIN QUERY PLAN {BY_KEY}", ["key 7"]).fetchall()
    assert "connections_by_key" in str(plan)
    assert [ledger.execute(BY_KEY, [key]).fetchall() for _, key in keys] == [
        [(number,)] for number, _ in keys
    ]
    with pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE constraint failed: connections\.key"):
        ledger.execute("UPDATE connections SET key = 'key 7' WHERE id = 1")


def test_the_keys_index_changes_hands_wholly_or_not_at_all(
    of_version_11: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (handed,) = [one for one in schema.migrations._migrations if one.name == "m013_keys_when_full"]
    before = of_version_11.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    whole = handed.fn

    def cut_short(db: Database) -> None:
        whole(db)
        raise KeyError("cut short")

    monkeypatch.setattr(handed, "fn", cut_short)
    with pytest.raises(KeyError, match="cut short"):
        schema.prepare(of_version_11, create=False)
    assert of_version_11.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall() == before
    monkeypatch.undo()
    with closing(connect(tmp_path / "ledger.db", readonly=False)) as other:
        assert other.execute(BY_KEY, ["key 7"]).fetchall()
        schema.prepare(of_version_11, create=False)
        for db in (of_version_11, other):
            with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
                db.execute("UPDATE connections SET key = 'key 7' WHERE id = 1")
        assert "connections_by_key" in str(other.execute(f"EXPLAIN QUERY PLAN {BY_KEY}", [""]).fetchall())
