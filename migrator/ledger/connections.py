"""Where connections stand: read by every call, written by what came of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from migrator.ledger import shared_pairs
from migrator.ledger.file import many_rows
from migrator.ledger.file.codec import Codec, maybe_time_of, maybe_time_text, time_text
from migrator.models import (
    NO_REFRESH_TOKEN,
    Action,
    Connection,
    Standing,
    State,
    StoredPair,
    Tenant,
    TokenPair,
)
from migrator.rules.verdict import Verdict

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


class Newcomer(NamedTuple):
    """A new connection, with its names, and the state and reason that it begins with."""

    key: str
    token_print: bytes
    connection: Connection
    state: State
    reason: str


_NEW = (
    "id", "key", "provider", "app_type", "organisation", "tenant_id", "tenant_type", "contact_email",
    "consumer_key", "state", "reason", "further", "row_print", "run_id", "updated_at",
)  # fmt: skip


def add_all(
    db: sqlite3.Connection,
    codec: Codec,
    newcomers: Sequence[Newcomer],
    *,
    provider: str,
    run_id: int,
    now: datetime,
) -> range:
    """New connections, in order; returns their ids."""
    (last,) = db.execute("SELECT coalesce(max(id), 0) FROM connections").fetchone()
    ids = range(last + 1, last + 1 + len(newcomers))
    moment = time_text(now)
    rows = [
        (
            connection_id,
            key,
            provider,
            said.app_type,
            said.organisation,
            said.tenant_id,
            said.tenant_type,
            said.contact_email,
            said.consumer_key,
            str(state),
            reason,
            codec.seal_further(said.further),
            codec.row_print(said),
            run_id,
            moment,
        )
        for connection_id, (key, _, said, state, reason) in zip(ids, newcomers, strict=True)
    ]
    many_rows.insert(db, "connections", _NEW, rows)
    return ids


def correct(
    db: sqlite3.Connection, codec: Codec, standing: Standing, connection: Connection, now: datetime
) -> None:
    """What a row says of a connection that is known; where it stands is not touched."""
    db.execute(
        """UPDATE connections SET app_type = ?, organisation = ?, tenant_id = ?, tenant_type = ?,
        contact_email = ?, consumer_key = ?, further = ?, row_print = ?, updated_at = ? WHERE id = ?""",
        [
            connection.app_type,
            connection.organisation,
            connection.tenant_id or standing.tenant_id,
            connection.tenant_type,
            connection.contact_email,
            connection.consumer_key,
            codec.seal_further(connection.further),
            codec.row_print(connection),
            time_text(now),
            standing.id,
        ],
    )


def other_provider(db: sqlite3.Connection, provider: str) -> str:
    """A provider that some connection is of, and that is not this one; empty if all are of this one."""
    found = db.execute("SELECT provider FROM connections WHERE provider <> ? LIMIT 1", [provider]).fetchone()
    return str(found[0]) if found else ""


def none(db: sqlite3.Connection) -> bool:
    """Whether there is no connection."""
    return db.execute("SELECT 1 FROM connections LIMIT 1").fetchone() is None


def applications(db: sqlite3.Connection) -> dict[str, int]:
    """The legacy applications that rows named, by consumer key, and how many connections are of each."""
    return dict(
        db.execute(
            """SELECT consumer_key, count(*) FROM connections WHERE consumer_key <> ''
               GROUP BY consumer_key ORDER BY consumer_key"""
        )
    )


def is_unchanged(db: sqlite3.Connection, standing: Standing) -> bool:
    """Whether a connection still stands as it was read, as ``unchanged``."""
    return standing.id in unchanged(db, [standing])


def unchanged(
    db: sqlite3.Connection, standings: Sequence[Standing], of_its_own: frozenset[int] = frozenset()
) -> frozenset[int]:
    """The connections that still stand as they were read: whoever brings a new pair sets the old one aside.

    One that is served by another's pair is nobody's to call for, unless it is ``of_its_own`` legacy token
    that the call is.
    """
    read = [
        (each.id, each.state, each.pair.id if each.pair is not None else None, each.id in of_its_own)
        for each in standings
    ]
    (found,) = many_rows.execute(
        db,
        ("connection", "state", "pair", "of_its_own"),
        read,
        """SELECT json_group_array(c.id) FROM given JOIN connections c ON c.id = connection
           WHERE c.state = given.state AND (c.served_by IS NULL OR of_its_own)
                 AND (pair IS NULL OR EXISTS
                      (SELECT 1 FROM token_pairs
                       WHERE id = pair AND replaced_at IS NULL AND dead_at IS NULL))""",
    ).fetchone()
    return frozenset(json.loads(found))


def set_in_flight(db: sqlite3.Connection, connection_ids: Sequence[int], now: datetime) -> None:
    """A call is about to leave for each connection, and so for all that are served by its pair."""
    db.execute(
        """UPDATE connections SET state = :state, updated_at = :now
           WHERE id IN (SELECT value FROM json_each(:ids))
                 OR served_by IN (SELECT value FROM json_each(:ids))""",
        {"state": State.IN_FLIGHT.value, "now": time_text(now), "ids": json.dumps(connection_ids)},
    )


def set_standing(db: sqlite3.Connection, connection_id: int, verdict: Verdict, now: datetime) -> None:
    """Where one connection stands from now on, as ``set_standings``."""
    set_standings(db, [(connection_id, verdict)], now)


def set_standings(db: sqlite3.Connection, verdicts: Sequence[tuple[int, Verdict]], now: datetime) -> None:
    """Where connections stand from now on, and whoever is served by their pairs.

    And whose pair they have got, and which tenant it reaches, where nobody knew before: a pair that is
    another's does not make the connection theirs.
    """
    many_rows.execute(
        db,
        ("connection", "state", "reason", "doubt", "not_before", "tries", "of_user", "of_tenant"),
        [_row(connection_id, verdict) for connection_id, verdict in verdicts],
        """UPDATE connections
           SET state = given.state, reason = given.reason, doubt = given.doubt,
               not_before = given.not_before, tries = given.tries, updated_at = :now,
               user_id = CASE user_id WHEN '' THEN of_user ELSE user_id END,
               tenant_id = CASE tenant_id WHEN '' THEN of_tenant ELSE tenant_id END
           FROM given WHERE id = connection""",
        now=time_text(now),
    )
    serving = shared_pairs.serving(db, [connection_id for connection_id, _ in verdicts])
    for connection_id, verdict in verdicts:
        if connection_id in serving:
            shared_pairs.follow(db, connection_id, verdict, now)


def _row(connection_id: int, verdict: Verdict) -> tuple[object, ...]:
    pair = None if verdict.new_pair_set_aside else verdict.new_pair
    return (
        connection_id,
        verdict.state,
        verdict.reason,
        verdict.doubt,
        maybe_time_text(verdict.not_before),
        verdict.tries,
        pair.user_id if pair is not None else "",
        pair.tenant_id if pair is not None else "",
    )


def rest(db: sqlite3.Connection, standing: Standing, state: State, reason: str, now: datetime) -> None:
    """A connection that needs no call any more, unless it has gone on since its standing was read."""
    if not is_unchanged(db, standing):
        return
    db.execute(
        """UPDATE connections
           SET state = ?, reason = ?, doubt = NULL, not_before = NULL, tries = 0, updated_at = ?
           WHERE id = ?""",
        [state.value, reason, time_text(now), standing.id],
    )


def leave(db: sqlite3.Connection, standing: Standing, tries: int, now: datetime) -> None:
    """A connection that this run can do nothing more for stands where it stood, with its tries used up."""
    if is_unchanged(db, standing):
        db.execute(
            "UPDATE connections SET tries = ?, updated_at = ? WHERE id = ?",
            [tries, time_text(now), standing.id],
        )


def retry_failed(db: sqlite3.Connection, now: datetime) -> int:
    """Put what failed back in line; returns how many.

    A swap that gave no refresh token took effect: refused the next time, its token was used up by it.
    """
    cursor = db.execute(
        """UPDATE connections
           SET state = CASE reason WHEN :fruitless THEN 'uncertain' ELSE 'pending' END,
               doubt = CASE reason WHEN :fruitless THEN 'swap' END,
               reason = CASE reason WHEN :fruitless THEN reason ELSE '' END,
               not_before = NULL, tries = 0, updated_at = :now
           WHERE state = 'failed'""",
        {"fruitless": NO_REFRESH_TOKEN, "now": time_text(now)},
    )
    return cursor.rowcount


def forget_tries(db: sqlite3.Connection) -> None:
    """Give every open connection a fresh start."""
    db.execute("UPDATE connections SET tries = 0 WHERE tries > 0")


def note_user(db: sqlite3.Connection, connection_id: int, user_id: str) -> None:
    """Who the user of a connection is."""
    db.execute("UPDATE connections SET user_id = ? WHERE id = ?", [user_id, connection_id])


def note_disabled(db: sqlite3.Connection, connection_id: int, now: datetime) -> None:
    """That the legacy token of a connection was ended; the first time counts."""
    db.execute(
        "UPDATE connections SET disabled_at = coalesce(disabled_at, ?) WHERE id = ?",
        [time_text(now), connection_id],
    )


def adopt_tenant(db: sqlite3.Connection, connection_id: int, tenant: Tenant) -> None:
    """The tenant of a connection that had none to its name; and its type, where the provider has types."""
    db.execute(
        """UPDATE connections
           SET tenant_id = ?1, tenant_type = CASE WHEN '' IN (?2, tenant_type) THEN tenant_type ELSE ?2 END
           WHERE id = ?3 AND tenant_id = ''""",
        [tenant.id, tenant.type.upper(), connection_id],
    )


def needs_consent(db: sqlite3.Connection, connection_id: int) -> bool:
    """Whether a connection waits for its user."""
    (state,) = db.execute("SELECT state FROM connections WHERE id = ?", [connection_id]).fetchone()
    return bool(state == State.NEEDS_CONSENT)
