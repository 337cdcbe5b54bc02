"""``purge``: the tokens of what was handed over are gone from every byte of the ledger; the log stays."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from migrator.models import Action
from tests.handover.conftest import Live
from tests.handover.killed_export import PURGE_STEPS
from tests.handover.support import Life, secrets_of

LOG = "SELECT id, connection_id, run_id, action, started_at, finished_at, outcome, http_status FROM attempts"


def gone(life: Life, sealed: list[bytes], secrets: set[str]) -> None:
    """Neither a token nor what it was encrypted to is in any byte beside the key."""
    left = life.bytes_beside()
    assert not [value for value in sealed if value in left]
    assert not [secret for secret in secrets if secret.encode() in left]
    assert life.ciphertexts() == []


@pytest.fixture
def handed(live: Live) -> Life:
    """Every pair has two generations, and was handed over."""
    life = live(3)
    life.done("refresh", "--all")
    life.done("export", "-o", "pairs.jsonl")
    assert len(life.ciphertexts()) == 3 + 2 * 2 * 3
    return life


def test_no_token_is_left_in_any_byte_and_the_log_stays(handed: Life) -> None:
    sealed, secrets, log = handed.ciphertexts(), secrets_of(handed), handed.query(LOG)
    assert all(value in handed.bytes_beside() for value in sealed), "the search would not find them"
    assert handed.json("purge", "--yes") == {"purged": 3, "kept": 0, "wiped": True}
    gone(handed, sealed, secrets)
    assert handed.query(LOG) == log
    assert handed.query("SELECT command FROM runs ORDER BY id") == [
        ("run",),
        ("refresh",),
        ("export",),
        ("purge",),
    ]
    assert handed.handed_over() == 3
    status = handed.status()
    assert status["pairs"]["stored"] == 0
    assert status["pairs"]["exported"] == 3
    assert status["states"]["migrated"] == 3
    assert "0 pairs stored" in handed.done("status").stdout


def test_afterwards_every_command_still_works_and_changes_nothing(handed: Life) -> None:
    handed.done("purge", "--yes")
    before = handed.query("SELECT * FROM connections"), handed.query("SELECT * FROM token_pairs")
    calls = handed.sandbox.stats()["requests"]
    for command in (
        ["run", "tokens.csv"],
        ["resume"],
        ["refresh", "--all"],
        ["verify", "--all"],
        ["purge", "--yes"],
        ["run", "tokens.csv", "--dry-run"],
        ["report", "-o", "report.json"],
        ["export", "--since-last", "-o", "rest.jsonl"],
    ):
        handed.done(*command)
    assert (handed.query("SELECT * FROM connections"), handed.query("SELECT * FROM token_pairs")) == before
    assert handed.sandbox.stats()["requests"] == calls
    assert handed.ciphertexts() == []
    assert (handed.folder / "rest.jsonl").read_text() == ""


def test_a_purged_ledger_gets_a_new_key(handed: Life) -> None:
    handed.done("purge", "--yes")
    handed.done("ledger", "rekey")
    handed.done("refresh", "--all")


def test_a_purged_pair_cannot_be_revoked_any_more_and_that_is_said(handed: Life) -> None:
    handed.done("purge", "--yes")
    finished = handed.done("revoke", handed.key_of(1), "--yes", code=2)
    assert "do it again" not in finished.stderr
    assert handed.state_of(1) == ("migrated", "")


def test_what_was_not_handed_over_is_kept(live: Live) -> None:
    life = live(3)
    finished = life.done("purge", "--yes", code=1)
    assert "3 pairs were not handed over" in finished.stderr
    assert len(life.ciphertexts()) == 9
    life.done("export", "-o", "pairs.jsonl")
    life.alter("DELETE FROM handings WHERE connection_id = 2")
    sealed = life.ciphertexts()
    assert life.json("purge", "--yes", code=1) == {"purged": 2, "kept": 1, "wiped": True}
    left = life.ciphertexts()
    assert len(left) == 3
    raw = life.bytes_beside()
    assert not [value for value in sealed if value not in left and value in raw]
    life.done("refresh", "--all")
    assert life.attempts("refresh") == [(2, "done")]
    assert life.witness()[life.tenant_of(2)]["pairs_working"] == 1


def test_pairs_that_others_stand_for_are_purged_with_them(live: Live) -> None:
    life = live(4, per_user=2)
    life.done("export", "--per", "user", "-o", "pairs.jsonl")
    sealed, secrets = life.ciphertexts(), secrets_of(life)
    assert life.json("purge", "--yes")["purged"] == 4
    gone(life, sealed, secrets)


def test_the_tokens_of_a_pair_that_was_handed_over_and_then_revoked_are_purged_too(handed: Life) -> None:
    handed.done("revoke", handed.key_of(1), "--yes")
    sealed, secrets = handed.ciphertexts(), secrets_of(handed)
    handed.done("purge", "--yes")
    gone(handed, sealed, secrets)


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_it_asks_first(handed: Life, answer: str) -> None:
    before = handed.ciphertexts()
    finished = handed.migrator("purge", stdin=answer)
    assert finished.returncode == 130, finished.stderr
    assert "out of the ledger" in finished.stderr
    assert handed.ciphertexts() == before
    finished = handed.migrator("purge", stdin="y\n")
    assert finished.returncode == 0
    assert handed.ciphertexts() == []


def test_a_program_that_reads_the_ledger_meanwhile_is_named_and_the_next_purge_ends_the_work(
    handed: Life,
) -> None:
    sealed, secrets = handed.ciphertexts(), secrets_of(handed)
    with closing(sqlite3.connect(handed.ledger)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM token_pairs").fetchone()
        finished = handed.done("purge", "--yes", code=1)
        assert "another program reads the ledger" in finished.stderr
        assert finished.stdout.startswith("the tokens of 3 connections are out")
    assert handed.json("purge", "--yes") == {"purged": 0, "kept": 0, "wiped": True}
    gone(handed, sealed, secrets)


@pytest.mark.parametrize("step", PURGE_STEPS)
def test_a_purge_that_was_killed_can_be_done_again(handed: Life, step: str) -> None:
    sealed, secrets = handed.ciphertexts(), secrets_of(handed)
    handed.killed("tests.handover.killed_export", step, "--", "purge", "--yes")
    document = handed.json("purge", "--yes")
    assert document["purged"] == (3 if step == "before commit" else 0)
    assert document["wiped"] is True
    gone(handed, sealed, secrets)
    assert handed.query("PRAGMA integrity_check") == [("ok",)]
    assert handed.handed_over() == 3


def test_answers_that_wait_in_the_rescue_file_are_purged_too(handed: Life) -> None:
    # What could not be read of an answer is kept, encrypted: it may hold a pair.
    handed.alter("UPDATE attempts SET answer = ? WHERE id = 1", b"\x01sealed")
    handed.done("purge", "--yes")
    assert handed.query("SELECT count(answer) FROM attempts") == [(0,)]


def test_what_sqlite_left_in_free_places_of_the_file_is_wiped_too(handed: Life) -> None:
    sealed = handed.ciphertexts()
    with closing(sqlite3.connect(handed.ledger)) as db, db:
        db.execute("PRAGMA secure_delete = OFF")
        db.execute("DELETE FROM token_pairs WHERE replaced_at IS NOT NULL")
    assert any(value in handed.bytes_beside() for value in sealed if value not in handed.ciphertexts())
    assert handed.json("purge", "--yes")["wiped"] is True
    gone(handed, sealed, set())


def test_a_pair_under_refresh_is_not_purged(live: Live) -> None:
    life = live(3)
    life.kill_at("after send", Action.REFRESH, 2, "refresh", "--all", "--concurrency", "1")
    life.done("export", "-o", "pairs.jsonl")
    life.migrator("purge", "--yes")
    assert life.query("SELECT count(*) FROM token_pairs WHERE connection_id = 2 AND purged_at IS NULL") == [
        (1,)
    ]
