"""The hand-over, as the ledger records it: what an export takes, whether it came to its end, what was purged.

Two steps, as with a call: what an export is about to take is on disk before a byte of it is written; that it
is handed over, once the application can have it. Between the two nobody knows, and nobody refreshes those
pairs: the application may use them.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from migrator.ledger.file.codec import Codec
from migrator.ledger.file.session import Session
from migrator.ledger.file.times import maybe_time_of, time_of, time_text
from migrator.ledger.generations import EARLIER, generation_of
from migrator.models import TokenPair

HANDED_OVER = """EXISTS (
    SELECT 1 FROM handings h JOIN exports e ON e.id = h.export_id
    WHERE h.own_pair_id = p.id AND h.connection_id = c.id AND e.finished_at IS NOT NULL)"""
"""Of a pair ``p``: whether the application has it for a connection ``c``."""

IN_HAND = """
    FROM connections c JOIN token_pairs p ON p.connection_id = coalesce(c.served_by, c.id)
    WHERE c.state = 'migrated' AND p.dead_at IS NULL AND p.replaced_at IS NULL AND p.purged_at IS NULL
"""
"""The connections ``c`` that have a pair ``p`` which works, for all the ledger knows: their own, or that of a
consent which connected them together with its owner.
"""


@dataclass(frozen=True)
class Exportable:
    """A connection with its own pair, as far as choosing goes: no secrets."""

    connection_id: int
    tenant_id: str
    user_id: str
    pair_id: int
    obtained_at: datetime
    verified_at: datetime | None
    reached: frozenset[str]
    """The tenants that the pair was seen to reach, in lower case; empty if nobody asked."""
    misses_tenant: bool = False
    """Whether its pair was seen not to reach its tenant: then no other one of its user will."""


class ExportedConnection(NamedTuple):
    """A connection, as an export hands it over."""

    key: str
    app_type: str
    organisation: str
    tenant_id: str
    tenant_type: str
    contact_email: str
    further: Mapping[str, object]
    """The input's further columns."""


class ExportedPair(NamedTuple):
    """A pair and the connections that it stands for."""

    pair: TokenPair
    generation: int
    """Greater for what was won later: when it was stored, in microseconds of the epoch, or a little more."""
    connections: tuple[ExportedConnection, ...]


Choose = Callable[[Iterable[Exportable]], Iterable[tuple[Exportable, int]]]
"""Names for each of some connections the pair that stands for it."""


@dataclass(frozen=True)
class Unfinished:
    """An export whose process died."""

    id: int
    target: str | bytes
    """Bytes where a file's name is no text."""
    part: str | bytes | None
    sha256: str | None
    delivery_id: str | None = None
    """By which its receiver knows it, where one can be asked."""


@dataclass(frozen=True)
class Size:
    """How much an export takes."""

    connections: int
    pairs: int


class Exports:
    """The exports of an open ledger."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def begin(
        self,
        target: str,
        part: str | None,
        choose: Choose | None,
        *,
        only_new: bool,
        delivery_id: str | None = None,
    ) -> tuple[int, Size]:
        """Put the intent of a hand-over on disk; returns the export's id, and how much it takes.

        Each connection in hand is stood for by its own pair, unless ``choose`` names another one of its user.
        ``part`` is the file that is written before it gets the name ``target``; ``delivery_id`` is what the
        receiver will know it by.
        """

        def entry(db: sqlite3.Connection) -> tuple[int, Size]:
            now = self._session.now()
            export_id = begin(db, self._session.run_id, target, part, now, delivery_id=delivery_id)
            _take(db, export_id, now, only_new=only_new)
            if choose is not None:
                _let_stand(db, export_id, choose(_of_users_with_several(db, export_id)))
            return export_id, _size(db, export_id)

        return self._session.write(entry)

    def taken(self, export_id: int) -> Iterator[ExportedPair]:
        """What an export takes, decrypted, pair by pair."""
        return taken(self._session.reader(), self._session.codec, export_id)

    def further(self, export_id: int) -> Iterator[Mapping[str, object]]:
        """The further columns of what it takes, in the same order, where there are any."""
        return _further(self._session.reader(), self._session.codec, export_id)

    def users_of_several_pairs(self, export_id: int) -> Iterator[str]:
        """The ids of users of whom it takes more than one pair."""
        return _users_of_several_pairs(self._session.reader(), export_id)

    def seal(self, export_id: int, sha256: str) -> None:
        """The file of an export is whole; only its name is missing."""
        self._session.write(lambda db: _seal(db, export_id, sha256))

    def finish(self, export_id: int) -> None:
        """The application can have it: it counts as handed over."""
        self._session.write(lambda db: finish(db, export_id, self._session.now()))

    def cancel(self, export_id: int) -> None:
        """Nobody got anything."""
        self._session.write(lambda db: cancel(db, export_id))

    def unfinished(self) -> list[Unfinished]:
        """Exports whose process died."""
        return _unfinished(self._session.reader())

    def ended_in_hand(self) -> int:
        """How many pairs nobody can use any more, for their refresh token has ended."""
        return _ended_in_hand(self._session.reader(), self._session.now())


def _ended_in_hand(db: sqlite3.Connection, now: datetime) -> int:
    """How many pairs nobody can use any more, for their refresh token has ended."""
    (number,) = db.execute(
        f"SELECT count(DISTINCT p.id) {IN_HAND} AND p.refresh_expires_at <= ? AND NOT {HANDED_OVER}",
        [time_text(now)],
    ).fetchone()
    return int(number)


def begin(
    db: sqlite3.Connection,
    run_id: int,
    target: str,
    part: str | None,
    now: datetime,
    *,
    delivery_id: str | None,
    delivery: bool = False,
) -> int:
    """The intent to hand over; returns the export's id. What it takes is to be added."""
    cursor = db.execute(
        """INSERT INTO exports (run_id, target, part, started_at, delivery_id, delivery)
           VALUES (?, ?, ?, ?, ?, ?)""",
        [run_id, _storable(target), _storable(part), time_text(now), delivery_id, delivery],
    )
    return int(cursor.lastrowid or 0)


def _storable(name: str | None) -> str | bytes | None:
    """A file's name as SQLite takes it: one that is no text goes in as bytes."""
    if name is None or name.isprintable():
        return name
    return os.fsencode(name)


def _take(db: sqlite3.Connection, export_id: int, now: datetime, *, only_new: bool) -> None:
    """Take the connections that can be handed over, each with its own pair.

    ``only_new`` leaves out what was handed over before. A pair whose refresh token has ended is left out too:
    it is of use to nobody.
    """
    condition = f"AND NOT {HANDED_OVER}" if only_new else ""
    db.execute(
        f"""INSERT INTO handings (export_id, connection_id, own_pair_id, pair_id)
            SELECT ?, c.id, p.id, p.id {IN_HAND} AND coalesce(p.refresh_expires_at, '9') > ? {condition}
            ORDER BY c.id""",
        [export_id, time_text(now)],
    )


def _of_users_with_several(db: sqlite3.Connection, export_id: int) -> Iterator[Exportable]:
    """What an export takes of users that have several connections in it, those of one user together."""
    for row in db.execute(
        """WITH hand AS (
               SELECT h.connection_id, h.own_pair_id, p.user_id,
                      count(*) OVER (PARTITION BY p.user_id) AS connections
               FROM handings h JOIN token_pairs p ON p.id = h.own_pair_id
               WHERE h.export_id = ? AND p.user_id <> ''
           )
           SELECT c.id, c.tenant_id, p.user_id, p.id, p.obtained_at, p.verified_at, p.reached,
                  c.reason = 'tenant_mismatch'
           FROM hand JOIN connections c ON c.id = hand.connection_id
                JOIN token_pairs p ON p.id = hand.own_pair_id
           WHERE hand.connections > 1 ORDER BY p.user_id, c.id""",
        [export_id],
    ):
        reached = frozenset(tenant.lower() for tenant in json.loads(row[6])) if row[6] else frozenset()
        yield Exportable(
            row[0], row[1], row[2], row[3], time_of(row[4]), maybe_time_of(row[5]), reached, bool(row[7])
        )


def _let_stand(db: sqlite3.Connection, export_id: int, chosen: Iterable[tuple[Exportable, int]]) -> None:
    """Let other pairs than their own stand for connections.

    Those are read while this writes, but not the column that it writes.
    """
    db.executemany(
        "UPDATE handings SET pair_id = ? WHERE export_id = ? AND connection_id = ?",
        ((pair_id, export_id, one.connection_id) for one, pair_id in chosen if pair_id != one.pair_id),
    )


def _size(db: sqlite3.Connection, export_id: int) -> Size:
    (connections,) = db.execute("SELECT count(*) FROM handings WHERE export_id = ?", [export_id]).fetchone()
    (pairs,) = db.execute(
        "SELECT count(*) FROM (SELECT DISTINCT pair_id FROM handings WHERE export_id = ?)", [export_id]
    ).fetchone()
    return Size(connections, pairs)


def taken(db: sqlite3.Connection, codec: Codec, export_id: int) -> Iterator[ExportedPair]:
    """What an export takes, decrypted, pair by pair."""
    rows = db.execute(
        f"""SELECT h.pair_id, p.access_token, p.refresh_token, p.expires_at, p.scope, p.tenant_id, p.user_id,
                  p.refresh_expires_at, p.obtained_at,
                  {EARLIER},
                  c.key, c.app_type, c.organisation, c.tenant_id, c.tenant_type, c.contact_email, c.further
           FROM handings h JOIN token_pairs p ON p.id = h.pair_id JOIN connections c ON c.id = h.connection_id
           WHERE h.export_id = ? ORDER BY h.pair_id, h.connection_id""",  # noqa: S608
        [export_id],
    )
    for _, group in groupby(rows, key=itemgetter(0)):
        of_pair = list(group)
        connections = [(*row[10:16], codec.open_further(row[16])) for row in of_pair]
        yield ExportedPair(
            _pair(of_pair[0], codec),
            generation_of(of_pair[0][8], of_pair[0][9]),
            tuple(map(ExportedConnection._make, connections)),
        )


def _pair(row: tuple[Any, ...], codec: Codec) -> TokenPair:
    access, refresh = codec.open_pair(row[1], row[2])
    expires_at, scope, tenant_id, user_id, refresh_expires_at = row[3:8]
    ends, refresh_ends = maybe_time_of(expires_at), maybe_time_of(refresh_expires_at)
    return TokenPair(access, refresh, ends, scope, tenant_id, user_id, refresh_ends)


def _further(db: sqlite3.Connection, codec: Codec, export_id: int) -> Iterator[Mapping[str, object]]:
    for (sealed,) in db.execute(
        """SELECT c.further FROM handings h JOIN connections c ON c.id = h.connection_id
           WHERE h.export_id = ? AND c.further IS NOT NULL ORDER BY h.pair_id, h.connection_id""",
        [export_id],
    ):
        yield codec.open_further(sealed)


def _users_of_several_pairs(db: sqlite3.Connection, export_id: int) -> Iterator[str]:
    for (user_id,) in db.execute(
        """SELECT p.user_id
           FROM (SELECT DISTINCT pair_id FROM handings WHERE export_id = ?) h
                JOIN token_pairs p ON p.id = h.pair_id
           WHERE p.user_id <> '' GROUP BY p.user_id HAVING count(*) > 1""",
        [export_id],
    ):
        yield user_id


def _seal(db: sqlite3.Connection, export_id: int, sha256: str) -> None:
    db.execute("UPDATE exports SET sha256 = ? WHERE id = ?", [sha256, export_id])


def finish(db: sqlite3.Connection, export_id: int, now: datetime) -> None:
    """The application can have it: it counts as handed over.

    What an earlier export may have handed over, without anybody knowing, is known now.
    """
    db.execute("UPDATE exports SET finished_at = ? WHERE id = ?", [time_text(now), export_id])
    # Who has got another pair meanwhile waits for that one.
    db.execute(
        """DELETE FROM outbox WHERE connection_id IN (
               SELECT h.connection_id FROM handings h JOIN token_pairs p ON p.id = h.own_pair_id
               WHERE h.export_id = ? AND p.replaced_at IS NULL)""",
        [export_id],
    )
    db.execute(
        """DELETE FROM handings
           WHERE export_id IN (SELECT id FROM exports WHERE finished_at IS NULL AND NOT delivery)
                 AND own_pair_id IN (SELECT own_pair_id FROM handings WHERE export_id = ?)""",
        [export_id],
    )
    db.execute(
        """DELETE FROM exports
           WHERE finished_at IS NULL AND NOT delivery
                 AND NOT EXISTS (SELECT 1 FROM handings WHERE export_id = exports.id)"""
    )


def cancel(db: sqlite3.Connection, export_id: int) -> None:
    """Nobody got anything."""
    db.execute("DELETE FROM handings WHERE export_id = ?", [export_id])
    db.execute("DELETE FROM exports WHERE id = ?", [export_id])


def _unfinished(db: sqlite3.Connection) -> list[Unfinished]:
    """Exports whose process died."""
    rows = db.execute(
        """SELECT id, target, part, sha256, delivery_id FROM exports
           WHERE finished_at IS NULL AND NOT delivery ORDER BY id"""
    )
    return [Unfinished(*row) for row in rows]
