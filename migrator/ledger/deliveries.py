"""Deliveries, as the ledger records them: hand-overs of pairs soon after they were won, some at a time.

Each is an export of a few connections, in the same two steps: what it takes is on disk before the receiver
gets anything, that it is handed over once the receiver has it. The outbox says who waits; the ledger fills it
by itself (the trigger ``outbox_filled``), and whoever is in it stays there until a delivery is finished.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from migrator.ledger import exports
from migrator.ledger.exports import ExportedPair
from migrator.ledger.file.session import Session
from migrator.ledger.file.times import maybe_time_of, time_of, time_text
from migrator.ledger.generations import EARLIER, generation_of

_NOT_GOT = """
    c.state = 'migrated' AND p.dead_at IS NULL AND p.replaced_at IS NULL AND p.purged_at IS NULL
    AND coalesce(p.refresh_expires_at, '9') > :now
    AND NOT EXISTS (
        SELECT 1 FROM handings h JOIN exports e ON e.id = h.export_id
        WHERE h.own_pair_id = p.id AND h.connection_id = c.id AND e.finished_at IS NOT NULL)
"""
"""Of a connection ``c`` and a pair ``p``: whether it works, for all the ledger knows, and the application has
not got it for that connection.
"""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)
"""How long a pair that was refused waits until it is tried again: twice as long each time."""
_DOUBLED = 10
"""As often at the most."""


@dataclass(frozen=True)
class Begun:
    """A delivery under way."""

    id: int
    delivery_id: str
    """By which the receiver knows it."""


@dataclass(frozen=True)
class Backlog:
    """What waits to be delivered."""

    pairs: int
    """Those aside that the receiver refused; no more than was asked for."""
    all: int
    """With those; no more than was asked for."""
    since: datetime | None
    """Since when the first of them counts (UTC); None if none waits."""


@dataclass(frozen=True)
class Waiting:
    """What has become of the pairs of some connections."""

    waiting: int
    """So many the receiver has not got yet."""
    refused: int
    """So many it refused the last time."""
    delivered: Mapping[str, int]
    """Key and generation of those that it has got."""


class Deliveries:
    """The deliveries of an open ledger, by whoever holds the lock for them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def begin_for(self, receiver: str) -> None:
        """From now on pairs wait to be delivered: those that are there already, and all that are won.

        ``receiver`` is its name, without a password.
        """
        self._session.write(lambda db: _subscribe(db, receiver, self._session.now()))

    def unfinished(self, receiver: str) -> list[Begun]:
        """The deliveries to a receiver whose process died."""
        rows = self._session.reader().execute(
            """SELECT id, delivery_id FROM exports
               WHERE finished_at IS NULL AND delivery AND target = ? ORDER BY id""",
            [receiver],
        )
        return [Begun(*row) for row in rows]

    def backlog(self, most: int) -> Backlog:
        """What waits; counts no further than ``most``."""
        return _backlog(self._session.reader(), most)

    def begin(
        self,
        receiver: str,
        delivery_id: str,
        *,
        most: int,
        since: datetime | None = None,
    ) -> Begun | None:
        """Put the intent of a delivery on disk; None if nothing is due.

        It takes at most ``most`` connections, those first that wait longest; only what counts ``since`` a
        moment, where one is given.
        """
        now = self._session.now()
        if not _due(self._session.reader(), now, 1, since):
            return None
        return self._session.write(
            lambda db: _begin(db, self._session.run_id, receiver, delivery_id, now, most, since)
        )

    def taken(self, begun: Begun) -> list[ExportedPair]:
        """What a delivery takes, decrypted, pair by pair, in the same order each time."""
        return list(exports.taken(self._session.reader(), self._session.codec, begun.id))

    def finish(self, begun: Begun, refused: Mapping[str, str]) -> int:
        """The receiver has it, but for the keys that it ``refused``, each with a reason that says no secret.

        Those are tried again later. Returns how many connections it was finished for.
        """
        return self._session.write(lambda db: _finish(db, begun.id, refused, self._session.now()))

    def has_taken_some(self, receiver: str) -> bool:
        """Whether a receiver has ever taken a pair."""
        row = (
            self._session.reader()
            .execute(
                "SELECT 1 FROM exports WHERE delivery AND target = ? AND finished_at IS NOT NULL LIMIT 1",
                [receiver],
            )
            .fetchone()
        )
        return row is not None

    def cancel(self, begun: Begun) -> None:
        """The receiver got nothing of it, and never will."""
        self._session.write(lambda db: exports.cancel(db, begun.id))

    def waiting_of(self, connection_ids: Sequence[int]) -> Waiting:
        """What becomes of the pairs of some connections."""
        return _waiting_of(self._session.reader(), connection_ids)

    def delivered_by_this_run(self) -> int:
        """How many pairs it has handed over."""
        (number,) = (
            self._session.reader()
            .execute(
                """SELECT count(*) FROM handings h JOIN exports e ON e.id = h.export_id
               WHERE e.run_id = ? AND e.delivery AND e.finished_at IS NOT NULL""",
                [self._session.run_id],
            )
            .fetchone()
        )
        return int(number)

    def refused(self) -> int:
        """How many pairs the receiver refused the last time."""
        (number,) = (
            self._session.reader().execute("SELECT count(*) FROM outbox WHERE problem IS NOT NULL").fetchone()
        )
        return int(number)


def _subscribe(db: sqlite3.Connection, receiver: str, now: datetime) -> None:
    (before,) = db.execute("SELECT count(*) FROM receivers").fetchone()
    db.execute(
        "INSERT INTO receivers (name, since) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
        [receiver, time_text(now)],
    )
    # Somebody may have mended what a receiver refused: a new process tries it at once.
    db.execute("UPDATE outbox SET tries = 0, not_before = NULL, problem = NULL WHERE problem IS NOT NULL")
    if not before:
        db.execute(
            f"""INSERT INTO outbox (connection_id, pair_id, since) SELECT c.id, p.id, c.updated_at
                FROM connections c JOIN token_pairs p ON p.connection_id = coalesce(c.served_by, c.id)
                WHERE {_NOT_GOT}""",  # noqa: S608
            {"now": time_text(now)},
        )


def _backlog(db: sqlite3.Connection, most: int) -> Backlog:
    (pairs,) = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE problem IS NULL LIMIT ?)", [most]
    ).fetchone()
    (all_,) = db.execute("SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT ?)", [most]).fetchone()
    (since,) = db.execute("SELECT min(since) FROM outbox WHERE problem IS NULL").fetchone()
    return Backlog(pairs, all_, maybe_time_of(since))


def _waiting_of(db: sqlite3.Connection, connection_ids: Sequence[int]) -> Waiting:
    these = json.dumps(connection_ids)
    waiting, refused = db.execute(
        """SELECT count(*) FILTER (WHERE problem IS NULL), count(*) FILTER (WHERE problem IS NOT NULL)
           FROM outbox WHERE connection_id IN (SELECT value FROM json_each(?))""",
        [these],
    ).fetchone()
    delivered = db.execute(
        f"""SELECT DISTINCT c.key, p.obtained_at,
                  {EARLIER}
           FROM json_each(?) CROSS JOIN connections c ON c.id = value
                CROSS JOIN token_pairs p ON p.connection_id = coalesce(c.served_by, c.id)
                CROSS JOIN handings h ON h.own_pair_id = p.id AND h.connection_id = c.id
                CROSS JOIN exports e ON e.id = h.export_id
           WHERE p.replaced_at IS NULL AND p.dead_at IS NULL AND e.finished_at IS NOT NULL""",  # noqa: S608
        [these],
    )
    return Waiting(waiting, refused, {key: generation_of(*when) for key, *when in delivered})


def _due(
    db: sqlite3.Connection,
    now: datetime,
    most: int,
    since: datetime | None,
) -> list[int]:
    """Connections in the outbox that may be delivered now, those first that wait longest."""
    waiting = db.execute(
        """SELECT connection_id FROM outbox WHERE problem IS NULL AND since >= ?
           ORDER BY since, connection_id LIMIT ?""",
        [time_text(since) if since is not None else "", most],
    )
    found = [row[0] for row in waiting]
    refused = db.execute(
        """SELECT connection_id FROM outbox WHERE problem IS NOT NULL AND not_before <= ?
           ORDER BY not_before LIMIT ?""",
        [time_text(now), most - len(found)],
    )
    return found + [row[0] for row in refused]


def _begin(
    db: sqlite3.Connection,
    run_id: int,
    receiver: str,
    delivery_id: str,
    now: datetime,
    most: int,
    since: datetime | None,
) -> Begun | None:
    due = json.dumps(_due(db, now, most, since))
    export_id = exports.begin(db, run_id, receiver, None, now, delivery_id=delivery_id, delivery=True)
    taken = db.execute(
        f"""INSERT INTO handings (export_id, connection_id, own_pair_id, pair_id)
            SELECT :export, c.id, p.id, p.id
            FROM json_each(:due) CROSS JOIN connections c ON c.id = value
                 CROSS JOIN token_pairs p ON p.connection_id = coalesce(c.served_by, c.id)
            WHERE {_NOT_GOT}""",  # noqa: S608
        {"export": export_id, "now": time_text(now), "due": due},
    ).rowcount
    # Who has nothing to be delivered comes again with the next pair.
    db.execute(
        """DELETE FROM outbox WHERE connection_id IN (SELECT value FROM json_each(?))
           AND connection_id NOT IN (SELECT connection_id FROM handings WHERE export_id = ?)""",
        [due, export_id],
    )
    if not taken:
        exports.cancel(db, export_id)
        return None
    return Begun(export_id, delivery_id)


def _finish(db: sqlite3.Connection, export_id: int, refused: Mapping[str, str], now: datetime) -> int:
    for key, problem in refused.items():
        _refuse(db, export_id, key, problem, now)
    _note_times(db, export_id, now)
    (delivered,) = db.execute("SELECT count(*) FROM handings WHERE export_id = ?", [export_id]).fetchone()
    if delivered:
        exports.finish(db, export_id, now)
    else:
        exports.cancel(db, export_id)
    return int(delivered)


def _refuse(db: sqlite3.Connection, export_id: int, key: str, problem: str, now: datetime) -> None:
    found = db.execute(
        """DELETE FROM handings WHERE export_id = ?
           AND connection_id = (SELECT id FROM connections WHERE key = ?) RETURNING connection_id""",
        [export_id, key],
    ).fetchone()
    if found is None:
        return
    (tries,) = db.execute("SELECT max(tries) FROM outbox WHERE connection_id = ?", found).fetchone()
    pause = min(_FIRST_PAUSE * 2 ** min(tries or 0, _DOUBLED), _LONGEST_PAUSE)
    db.execute(
        "UPDATE outbox SET tries = tries + 1, not_before = ?, problem = ? WHERE connection_id = ?",
        [time_text(now + pause), problem, *found],
    )


def _note_times(db: sqlite3.Connection, export_id: int, now: datetime) -> None:
    rows = db.execute(
        """SELECT o.since FROM handings h JOIN outbox o ON o.connection_id = h.connection_id
           WHERE h.export_id = ?""",
        [export_id],
    ).fetchall()
    db.executemany(
        """INSERT INTO delivery_times (milliseconds, pairs) VALUES (?, 1)
           ON CONFLICT (milliseconds) DO UPDATE SET pairs = pairs + 1""",
        ([_of_two_figures(now - time_of(since))] for (since,) in rows),
    )


def _of_two_figures(time: timedelta) -> int:
    """In milliseconds, and rather more than less."""
    milliseconds = max(0, -(-time // timedelta(milliseconds=1)))
    unit = int(10 ** max(0, len(str(milliseconds)) - 2))
    return -(-milliseconds // unit) * unit
