"""The pairs that stand for connections, in numbers: what the view ``pairs`` says, counted in indexes alone.

A million pairs are two gigabytes, so that a count must not look at them. Each one here says the same as one
over the view: a pair counts as long as it is neither dead nor replaced and some connection has it, its own or
one that it serves; and which pair stands for a connection, the last finished export says that took it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from migrator.ledger.file.times import maybe_time_of, time_text


@dataclass(frozen=True)
class Ends:
    """When the refresh tokens of the pairs end that the application has not taken over yet."""

    first: datetime | None
    """None where there are none."""
    within_a_week: int
    ended: int
    """Some of those within a week: ended already, for all we know."""


@dataclass(frozen=True)
class Pairs:
    """The pairs that are neither dead nor replaced, in numbers."""

    stored: int
    """Those whose tokens were not purged."""
    verified: int
    """Seen to work since they were stored."""
    exported: int
    """Handed over to the application."""
    users: int
    """How many different users they name."""
    users_with_several: int
    """How many of those have more than one."""
    ends: Ends


_STANDS = "p.replaced_at IS NULL AND p.dead_at IS NULL"

_SERVED = "SELECT id FROM connections WHERE served_by IS NOT NULL"
"""Those who have another one's pair."""

_LEFT_OVER = f"""
    FROM connections s CROSS JOIN token_pairs p ON p.connection_id = s.id
    WHERE s.served_by IS NOT NULL AND {_STANDS}
          AND NOT EXISTS (SELECT 1 FROM connections WHERE served_by = s.id)
"""  # noqa: S608
"""Standing pairs ``p`` that nobody has: with a connection that has another one's now."""

_FINISHED = """
    FROM handings h JOIN exports e ON e.id = h.export_id
    WHERE h.own_pair_id = p.id AND h.connection_id = {connection} AND e.finished_at IS NOT NULL
"""
"""What handed a pair ``p`` over for a connection."""
_HANDED_OVER = f"EXISTS (SELECT 1 {_FINISHED})"
_STANDS_FOR_IT = f"coalesce((SELECT h.pair_id {_FINISHED} ORDER BY h.export_id DESC LIMIT 1), p.id)"


def _for_some(condition: str) -> str:
    """Of a standing pair ``p``: whether ``condition`` is so of a connection that has it."""
    return f"""(
        (p.connection_id NOT IN ({_SERVED}) AND {condition.format(connection="p.connection_id")})
        OR EXISTS (SELECT 1 FROM connections c
                   WHERE c.served_by = p.connection_id AND {condition.format(connection="c.id")}))"""  # noqa: S608


_WAITS = _for_some(f"NOT {_HANDED_OVER}")
_TAKEN = _for_some(_HANDED_OVER)


def _counted(index: str, condition: str) -> str:
    """How many pairs somebody has of which ``condition`` is so."""
    return f"""
        SELECT (SELECT count(*) FROM token_pairs p INDEXED BY {index} WHERE {_STANDS} AND {condition})
               - (SELECT count(*) {_LEFT_OVER} AND {condition})"""  # noqa: S608


_STORED = _counted("token_pairs_by_connection", "p.purged_at IS NULL")
_VERIFIED = _counted("token_pairs_verified", "p.verified_at IS NOT NULL")

_EXPORTED = f"""
    SELECT count(DISTINCT h.pair_id) FROM exports e CROSS JOIN handings h ON h.export_id = e.id
    WHERE e.finished_at IS NOT NULL
          AND EXISTS (
              SELECT 1 FROM token_pairs p INDEXED BY token_pairs_by_connection
              WHERE p.id = h.own_pair_id AND {_STANDS}
                    AND p.connection_id = CASE
                        WHEN h.connection_id IN ({_SERVED})
                        THEN (SELECT served_by FROM connections WHERE id = h.connection_id)
                        ELSE h.connection_id END)
          AND NOT EXISTS (
              SELECT 1 FROM handings later JOIN exports e ON e.id = later.export_id
              WHERE later.own_pair_id = h.own_pair_id AND later.connection_id = h.connection_id
                    AND later.export_id > h.export_id AND e.finished_at IS NOT NULL)
"""  # noqa: S608

_OF_USERS = f"FROM token_pairs p INDEXED BY token_pairs_by_user WHERE {_STANDS} AND p.user_id > ''"
_OWN_PAIRS = f"SELECT count(*) AS own {_OF_USERS} AND p.user_id = its.user_id"
_USERS = f"""
    SELECT count(*), coalesce(sum(own > 1), 0) FROM (SELECT count(*) AS own {_OF_USERS} GROUP BY p.user_id)
"""  # noqa: S608
"""As many pairs for each user as are theirs: it is so of all but ``_OTHER_USERS``."""
_PAIRS = f"""
    SELECT count(DISTINCT pair_id) FROM (
        SELECT {_STANDS_FOR_IT.format(connection="p.connection_id")} AS pair_id
        {_OF_USERS} AND p.user_id = its.user_id AND p.connection_id NOT IN ({_SERVED})
        UNION ALL
        SELECT {_STANDS_FOR_IT.format(connection="c.id")}
        FROM token_pairs p CROSS JOIN connections c ON c.served_by = p.connection_id
        WHERE {_STANDS} AND p.user_id = its.user_id)
"""  # noqa: S608
_OTHER_USERS = f"""
    SELECT count(*) FILTER (WHERE pairs = 0),
           count(*) FILTER (WHERE pairs > 1) - count(*) FILTER (WHERE own > 1)
    FROM (SELECT ({_OWN_PAIRS}) AS own, ({_PAIRS}) AS pairs
          FROM (SELECT p.user_id FROM handings h INDEXED BY handings_of_another_pair
                CROSS JOIN token_pairs p ON p.id = h.own_pair_id
                WHERE h.pair_id <> h.own_pair_id AND {_STANDS} AND p.user_id > ''
                UNION SELECT p.user_id {_LEFT_OVER} AND p.user_id > '') AS its)
"""  # noqa: S608
"""Who has fewer or more: one of their pairs was handed over in the place of others, or nobody has it."""

_BY_END = f"FROM token_pairs p INDEXED BY token_pairs_by_end WHERE {_STANDS}"
_FIRST_END = f"""
    SELECT p.refresh_expires_at {_BY_END} AND p.refresh_expires_at IS NOT NULL AND {_WAITS}
    ORDER BY p.refresh_expires_at LIMIT 1
"""
_ENDS_UNTIL = f"SELECT count(*) {_BY_END} AND p.refresh_expires_at <= ? AND {_WAITS}"
_DAYS = f"""
    SELECT substr(p.refresh_expires_at, 1, 10) AS day,
           count(*) FILTER (WHERE {_WAITS}), count(*) FILTER (WHERE {_TAKEN})
    {_BY_END} AND p.refresh_expires_at IS NOT NULL GROUP BY day ORDER BY day
"""


def pair_counts(db: sqlite3.Connection, now: datetime) -> Pairs:
    """How many pairs there are, and what has become of them."""
    (stored,) = db.execute(_STORED).fetchone()
    (verified,) = db.execute(_VERIFIED).fetchone()
    (exported,) = db.execute(_EXPORTED).fetchone()
    users, several = db.execute(_USERS).fetchone()
    gone, more = db.execute(_OTHER_USERS).fetchone()
    return Pairs(stored, verified, exported, users - gone, several + more, _ends(db, now))


def _ends(db: sqlite3.Connection, now: datetime) -> Ends:
    first = db.execute(_FIRST_END).fetchone()
    (soon,) = db.execute(_ENDS_UNTIL, [time_text(now + timedelta(days=7))]).fetchone()
    (ended,) = db.execute(_ENDS_UNTIL, [time_text(now)]).fetchone()
    return Ends(maybe_time_of(first[0]) if first else None, soon, ended)


def days_of_end(db: sqlite3.Connection) -> Iterator[tuple[str, int, int]]:
    """Day (UTC) on which refresh tokens end, how many that wait to be handed over, how many handed over."""
    for day, waiting, taken in db.execute(_DAYS):
        if waiting or taken:
            yield day, waiting, taken
