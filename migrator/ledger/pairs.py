"""Token pairs (OAuth 2.0), encrypted: one of each connection's is current, the others were set aside."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from migrator.ledger.file import many_rows
from migrator.ledger.file.codec import Codec
from migrator.ledger.file.times import maybe_time_of, maybe_time_text, time_text
from migrator.models import TokenPair
from migrator.rules.verdict import Verdict

_COLUMNS = (
    "connection_id",
    "attempt_id",
    "scope",
    "tenant_id",
    "user_id",
    "expires_at",
    "refresh_expires_at",
    "has_refresh_token",
    "lifetime_assumed",
    "access",
    "access_length",
    "refresh",
    "refresh_length",
)
"""Of a new pair; its tokens are named by where they stand."""


@dataclass(frozen=True)
class NewPair:
    """A pair that is to be stored."""

    connection_id: int
    attempt_id: int
    """The call that won it."""
    pair: TokenPair


def add(db: sqlite3.Connection, codec: Codec, new: Sequence[NewPair], now: datetime) -> None:
    """Store pairs of different connections that stand for them from now on."""
    db.execute(
        """UPDATE token_pairs SET replaced_at = ?
           WHERE connection_id IN (SELECT value FROM json_each(?)) AND replaced_at IS NULL""",
        [time_text(now), json.dumps([each.connection_id for each in new])],
    )
    keep(db, codec, new, now)


def keep(
    db: sqlite3.Connection, codec: Codec, new: Sequence[NewPair], now: datetime, *, set_aside: bool = False
) -> None:
    """Store pairs; one that is set aside stands for nothing."""
    sealed = bytearray()  # all tokens, one after the other: JSON takes no bytes
    rows = [_row(each, codec, sealed) for each in new]
    many_rows.execute(
        db,
        _COLUMNS,
        rows,
        """INSERT INTO token_pairs
           (connection_id, attempt_id, scope, tenant_id, user_id, expires_at, refresh_expires_at,
            has_refresh_token, lifetime_assumed, access_token, refresh_token, obtained_at, replaced_at)
           SELECT connection_id, attempt_id, scope, tenant_id, user_id, expires_at, refresh_expires_at,
                  has_refresh_token, lifetime_assumed,
                  substr(:sealed, access, access_length), substr(:sealed, refresh, refresh_length),
                  :now, :replaced_at
           FROM given""",
        sealed=bytes(sealed),
        now=time_text(now),
        replaced_at=time_text(now) if set_aside else None,
    )


def _row(new: NewPair, codec: Codec, sealed: bytearray) -> list[object]:
    """The columns of a pair, whose tokens go behind ``sealed``; bytes are counted from 1 in SQL."""
    pair = new.pair
    places = list[int]()
    for token in codec.seal_pair(pair):
        places += [len(sealed) + 1, len(token)]
        sealed += token
    return [
        new.connection_id,
        new.attempt_id,
        pair.scope,
        pair.tenant_id,
        pair.user_id,
        maybe_time_text(pair.expires_at),
        maybe_time_text(pair.refresh_expires_at),
        int(bool(pair.refresh_token)),
        int(pair.lifetime_assumed),
        *places,
    ]


def mark(db: sqlite3.Connection, pair_id: int, verdict: Verdict, now: datetime) -> None:
    """What a call about a pair has shown of it."""
    if verdict.pair_verified:
        db.execute(
            "UPDATE token_pairs SET verified_at = ?, reached = ? WHERE id = ?",
            [time_text(now), json.dumps(verdict.reached), pair_id],
        )
        db.execute(
            "UPDATE token_pairs SET user_id = ? WHERE id = ? AND user_id = ''", [verdict.user_id, pair_id]
        )
    if verdict.pair_expired:
        db.execute("UPDATE token_pairs SET expires_at = ? WHERE id = ?", [time_text(now), pair_id])
    if verdict.pair_set_aside:
        db.execute("UPDATE token_pairs SET replaced_at = ? WHERE id = ?", [time_text(now), pair_id])
    if verdict.pair_dead:
        db.execute("UPDATE token_pairs SET dead_at = ? WHERE id = ?", [time_text(now), pair_id])


def set_aside_for(db: sqlite3.Connection, codec: Codec, pair_id: int) -> int | None:
    """The pair in whose place this one came by a refresh whose answer was not whole; None if there is none,
    this one has been seen to work, or the other one has the same refresh token.

    One answer may have given several, one after the other: all of them came in the place of that pair.
    """
    row = db.execute(
        """SELECT old.id, old.access_token, old.refresh_token, new.access_token, new.refresh_token
           FROM token_pairs new JOIN attempts a ON a.id = new.attempt_id
           JOIN token_pairs old ON old.connection_id = new.connection_id
                AND old.replaced_at = (SELECT min(obtained_at) FROM token_pairs WHERE attempt_id = a.id)
           WHERE new.id = ? AND new.verified_at IS NULL AND a.action = 'refresh' AND a.answer IS NOT NULL
                 AND old.dead_at IS NULL AND old.purged_at IS NULL""",
        [pair_id],
    ).fetchone()
    if row is None or codec.open_pair(row[1], row[2])[1] == codec.open_pair(row[3], row[4])[1]:
        return None
    return int(row[0])


def restore(db: sqlite3.Connection, pair_id: int, connection_id: int, now: datetime) -> None:
    """Let a pair that was set aside stand for its connection again, and no other."""
    db.execute(
        "UPDATE token_pairs SET replaced_at = ? WHERE connection_id = ? AND replaced_at IS NULL",
        [time_text(now), connection_id],
    )
    db.execute("UPDATE token_pairs SET replaced_at = NULL WHERE id = ?", [pair_id])


def is_current(db: sqlite3.Connection, pair_id: int) -> bool:
    """Whether a pair still stands for its connection."""
    (stands,) = db.execute(
        "SELECT replaced_at IS NULL AND dead_at IS NULL FROM token_pairs WHERE id = ?", [pair_id]
    ).fetchone()
    return bool(stands)


@dataclass(frozen=True)
class Served:
    """A connection and the pair that stands for it."""

    connection_id: int
    own_pair: bool
    """Whether the pair is its own; if not, it is another one's of the same user."""
    owner: str
    """The key of the connection whose pair it is; empty without a pair."""
    others: tuple[str, ...]
    """The keys of the other connections that the pair stands for."""
    exported_at: datetime | None
    purged: bool = False
    """Whether its tokens are gone."""


def served(db: sqlite3.Connection, key: str) -> Served | None:
    """Which pair serves the connection of this key; None if there is no such connection."""
    row = db.execute("SELECT id FROM connections WHERE key = ?", [key]).fetchone()
    if row is None:
        return None
    pair = db.execute(
        """SELECT mine.stands_for_it, mine.own_pair, owner.key, mine.exported_at, p.purged_at
           FROM pairs mine JOIN token_pairs p ON p.id = mine.stands_for_it
           JOIN connections owner ON owner.id = p.connection_id WHERE mine.key = ?""",
        [key],
    ).fetchone()
    if pair is None:
        return Served(row[0], own_pair=False, owner="", others=(), exported_at=None)
    stands, own, owner, exported_at, purged_at = pair
    others = db.execute("SELECT key FROM pairs WHERE stands_for_it = ? AND key <> ?", [stands, key])
    return Served(
        row[0],
        stands == own and owner == key,
        owner,
        tuple(other for (other,) in others),
        maybe_time_of(exported_at),
        purged_at is not None,
    )


@dataclass(frozen=True)
class Finding:
    """A pair that works, and is not as it should be: the reason says in what."""

    key: str
    organisation: str
    tenant_id: str
    tenant_type: str
    reason: str
    reached: tuple[str, ...]
    """The tenants that it does reach, as far as anybody asked."""


def findings(db: sqlite3.Connection) -> Iterator[Finding]:
    """Pairs that work, and are not as they should be."""
    for key, organisation, tenant_id, tenant_type, reason, reached in db.execute(
        """SELECT c.key, c.organisation, c.tenant_id, c.tenant_type, c.reason, p.reached
           FROM connections c JOIN token_pairs p ON p.connection_id = coalesce(c.served_by, c.id)
           WHERE c.state = 'migrated' AND c.reason NOT IN ('', 'lifetime_assumed')
                 AND p.dead_at IS NULL AND p.replaced_at IS NULL
           ORDER BY c.id"""
    ):
        tenants = tuple(json.loads(reached)) if reached else ()
        yield Finding(key, organisation, tenant_id, tenant_type, reason, tenants)
