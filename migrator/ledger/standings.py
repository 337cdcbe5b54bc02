"""Where connections stand, as every call reads it, and whether it is still so."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from migrator.ledger.file import many_rows
from migrator.ledger.file.codec import Codec
from migrator.ledger.file.times import maybe_time_of
from migrator.models import Action, Standing, State, StoredPair, TokenPair

_STANDING = """
    SELECT c.id, c.key, c.app_type, c.state, c.reason, c.tenant_id, c.tenant_type,
           c.doubt, c.not_before, c.tries,
           (SELECT a.action = 'exchange_code' FROM token_pairs o JOIN attempts a ON a.id = o.attempt_id
            WHERE o.connection_id = coalesce(c.served_by, c.id) AND a.action IN ('swap', 'exchange_code')
            ORDER BY o.id DESC LIMIT 1),
           c.organisation, c.user_id, c.consumer_key, c.disabled_at IS NOT NULL, c.further,
           l.material, l.expires_at, l.attempt_id IS NOT NULL,
           p.id, p.access_token, p.refresh_token, p.scope, p.tenant_id, p.user_id, p.expires_at,
           p.refresh_expires_at, p.lifetime_assumed, p.verified_at, p.obtained_at,
           EXISTS (SELECT 1 FROM handings WHERE own_pair_id = p.id),
           EXISTS (SELECT 1 FROM attempts a
                   WHERE a.id = p.attempt_id AND a.action IN ('refresh', 'exchange_code')
                   AND NOT EXISTS (SELECT 1 FROM token_pairs WHERE connection_id = p.connection_id
                                   AND attempt_id = a.id AND id < p.id))
    FROM connections c
    JOIN legacy_tokens l ON l.id =
        (SELECT id FROM legacy_tokens WHERE connection_id = c.id ORDER BY generation DESC LIMIT 1)
    LEFT JOIN token_pairs p ON p.id =
        (SELECT id FROM token_pairs
         WHERE connection_id = coalesce(c.served_by, c.id)
               AND replaced_at IS NULL AND dead_at IS NULL AND purged_at IS NULL)
    WHERE c.id IN (SELECT value FROM json_each(?))
    ORDER BY c.id
"""


def standing(
    db: sqlite3.Connection, codec: Codec, connection_id: int, columns: frozenset[str] = frozenset()
) -> Standing:
    """Where one connection stands, as ``standings``."""
    [found] = standings(db, codec, [connection_id], columns)
    return found


def standings(
    db: sqlite3.Connection,
    codec: Codec,
    connection_ids: Sequence[int],
    columns: frozenset[str] = frozenset(),
) -> list[Standing]:
    """Where connections stand, in the order of their ids, with their secrets, and of their rows the columns
    that calls use.
    """
    rows = db.execute(_STANDING, [json.dumps(connection_ids)]).fetchall()
    return [_standing(codec, row, columns) for row in rows]


def _standing(codec: Codec, row: Sequence[Any], columns: frozenset[str]) -> Standing:
    return Standing(
        id=row[0],
        key=row[1],
        app_type=row[2],
        state=State(row[3]),
        reason=row[4],
        tenant_id=row[5],
        tenant_type=row[6],
        doubt=Action(row[7]) if row[7] else None,
        not_before=maybe_time_of(row[8]),
        tries=row[9],
        consented=bool(row[10]),
        organisation=row[11],
        user_id=row[12],
        consumer_key=row[13],
        disabled=bool(row[14]),
        row=_used(codec.open_further(row[15]), columns) if columns else {},
        legacy=codec.open_legacy(row[16], row[17], renewed=bool(row[18])),
        pair=_pair(codec, row[19:]) if row[19] is not None else None,
    )


def _used(further: Mapping[str, object], columns: frozenset[str]) -> dict[str, str]:
    """The columns that calls use; screening has seen to it that they are texts."""
    return {name: str(further[name]) for name in sorted(columns & further.keys())}


def _pair(codec: Codec, row: Sequence[Any]) -> StoredPair:
    (pair_id, access, refresh, scope, tenant_id, user_id, expires_at, refresh_expires_at,
     lifetime_assumed, verified_at, obtained_at, taken, first_of_refresh) = row  # fmt: skip
    access_token, refresh_token = codec.open_pair(access, refresh)
    pair = TokenPair(
        access_token,
        refresh_token,
        maybe_time_of(expires_at),
        scope,
        tenant_id,
        user_id,
        maybe_time_of(refresh_expires_at),
        bool(lifetime_assumed),
    )
    return StoredPair(
        pair_id,
        pair,
        maybe_time_of(verified_at),
        bool(taken),
        maybe_time_of(obtained_at),
        bool(first_of_refresh),
    )


def is_unchanged(db: sqlite3.Connection, standing: Standing) -> bool:
    """Whether a connection still stands as it was read, as ``unchanged``."""
    return standing.id in unchanged(db, [standing])


def unchanged(
    db: sqlite3.Connection, standings: Sequence[Standing], of_its_own: frozenset[int] = frozenset()
) -> frozenset[int]:
    """The connections that still stand as they were read: whoever brings a new pair sets the old one aside,
    and whoever hands one over says so.

    One that is served by another's pair is nobody's to call for, unless it is ``of_its_own`` legacy token
    that the call is.
    """
    read = [
        (
            each.id,
            each.state,
            each.pair.id if each.pair is not None else None,
            each.pair is not None and each.pair.taken,
            each.id in of_its_own,
        )
        for each in standings
    ]
    (found,) = many_rows.execute(
        db,
        ("connection", "state", "pair", "taken", "of_its_own"),
        read,
        """SELECT json_group_array(c.id) FROM given JOIN connections c ON c.id = connection
           WHERE c.state = given.state AND (c.served_by IS NULL OR of_its_own)
                 AND (pair IS NULL OR EXISTS
                      (SELECT 1 FROM token_pairs
                       WHERE id = pair AND replaced_at IS NULL AND dead_at IS NULL))
                 AND (taken OR pair IS NULL
                      OR NOT EXISTS (SELECT 1 FROM handings WHERE own_pair_id = pair))""",
    ).fetchone()
    return frozenset(json.loads(found))
