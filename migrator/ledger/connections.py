"""Connections: how they begin, and what is written of where they stand."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from migrator.ledger import shared_pairs, standings
from migrator.ledger.file import many_rows
from migrator.ledger.file.codec import Codec
from migrator.ledger.file.times import maybe_time_text, time_text
from migrator.models import NO_REFRESH_TOKEN, Connection, Standing, State, Tenant
from migrator.rules.verdict import Verdict


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
    if not standings.is_unchanged(db, standing):
        return
    db.execute(
        """UPDATE connections
           SET state = ?, reason = ?, doubt = NULL, not_before = NULL, tries = 0, updated_at = ?
           WHERE id = ?""",
        [state.value, reason, time_text(now), standing.id],
    )


def leave(db: sqlite3.Connection, standing: Standing, tries: int, now: datetime) -> None:
    """A connection that this run can do nothing more for stands where it stood, with its tries used up."""
    if standings.is_unchanged(db, standing):
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
