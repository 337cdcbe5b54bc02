"""Which pair comes back into force where the one that took its place is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from migrator.ledger import pairs, schema
from migrator.ledger.file.codec import Codec
from migrator.ledger.file.keys import make_key
from migrator.ledger.file.opening import connect, create_private
from migrator.ledger.file.times import time_text
from migrator.ledger.file.vault import Fingerprints, Vault
from migrator.models import Secret, TokenPair

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SWAP, REFRESH = 1, 2
"""The calls that were answered, in order."""


@dataclass
class Pairs:
    """The pairs of one connection, which was swapped and refreshed."""

    db: sqlite3.Connection
    codec: Codec
    passed: int = 0

    def add(self, attempt_id: int, refresh_token: str) -> int:
        """A pair that takes the place of the one before it; its id."""
        self.passed += 1
        pair = TokenPair(Secret("a"), Secret(refresh_token), NOW)
        now = NOW + timedelta(seconds=self.passed)
        pairs.add(self.db, self.codec, [pairs.NewPair(1, attempt_id, pair)], now)
        return int(self.db.execute("SELECT max(id) FROM token_pairs").fetchone()[0])

    def mark(self, pair_id: int, column: str) -> None:
        self.db.execute(f"UPDATE token_pairs SET {column} = ? WHERE id = ?", [time_text(NOW), pair_id])

    def before(self, pair_id: int) -> int | None:
        return pairs.set_aside_for(self.db, self.codec, pair_id)


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Pairs]:
    path = tmp_path / "ledger.db"
    create_private(path)
    with closing(connect(path, readonly=False)) as db:
        schema.migrations.apply(Database(db))
        db.execute("INSERT INTO runs (id, command, process, started_at) VALUES (1, 'run', 1, '')")
        db.execute(
            """INSERT INTO connections
                   (id, key, provider, app_type, organisation, tenant_id, tenant_type, contact_email, state,
                    reason, row_print, run_id, updated_at)
               VALUES (1, 'k', 'xero', 'partner', '', '', '', '', 'uncertain', '', x'', 1, '')"""
        )
        for attempt_id, action in ((SWAP, "swap"), (REFRESH, "refresh")):
            db.execute(
                """INSERT INTO attempts (id, connection_id, run_id, action, started_at, answer)
                   VALUES (?, 1, 1, ?, '', x'00')""",
                [attempt_id, action],
            )
        yield Pairs(db, Codec(Vault(make_key(path)), Fingerprints(b"k" * 32)))


def test_each_pair_that_one_answer_gave_came_in_the_place_of_the_one_before_them_all(stored: Pairs) -> None:
    first = stored.add(SWAP, "first")
    guesses = [stored.add(REFRESH, "one")]
    stored.mark(guesses[0], "dead_at")
    guesses.append(stored.add(REFRESH, "two"))
    assert [stored.before(guess) for guess in guesses] == [first, first]
    assert stored.before(first) is None


@pytest.mark.parametrize("column", ["dead_at", "purged_at"])
def test_what_is_dead_or_gone_does_not_come_back(stored: Pairs, column: str) -> None:
    first, second = stored.add(SWAP, "first"), stored.add(REFRESH, "second")
    stored.mark(first, column)
    assert stored.before(second) is None


def test_nothing_comes_back_for_a_pair_that_has_worked(stored: Pairs) -> None:
    stored.add(SWAP, "first")
    second = stored.add(REFRESH, "second")
    stored.mark(second, "verified_at")
    assert stored.before(second) is None


def test_the_refresh_token_that_was_refused_does_not_come_back_under_another_name(stored: Pairs) -> None:
    stored.add(SWAP, "same")
    assert stored.before(stored.add(REFRESH, "same")) is None


@pytest.mark.parametrize("change", ["action = 'swap'", "answer = NULL"])
def test_only_a_refresh_whose_answer_was_not_whole_may_have_been_taken_back(
    stored: Pairs, change: str
) -> None:
    stored.add(SWAP, "first")
    second = stored.add(REFRESH, "second")
    stored.db.execute(f"UPDATE attempts SET {change} WHERE id = ?", [REFRESH])
    assert stored.before(second) is None
