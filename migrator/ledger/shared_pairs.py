"""One pair for several connections: what one consent of a user has connected.

The pair is stored once, with one connection, its owner; the others are served by it and hold none
(``connections.served_by``). A refresh token serves once, so that two copies of a pair would kill each other:
there is one that is verified, refreshed, handed over, revoked and purged, and whatever becomes of it becomes
of all of them. Nothing is called for those that are served. Each function runs inside the transaction that
writes what was seen of the pair.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from migrator.ledger.file.times import time_text
from migrator.models import LIFETIME_ASSUMED, State
from migrator.rules.addresses import addresses
from migrator.rules.shared_pair import followed
from migrator.rules.tenants import Covered, Waiting, covered
from migrator.rules.verdict import Verdict

_WAITING = """
    SELECT c.id, c.tenant_id, c.tenant_type, c.organisation, c.contact_email
    FROM connections c JOIN connections asked ON asked.id = ?
    WHERE c.state = 'needs_consent' AND c.id <> asked.id AND c.provider = asked.provider
          AND (EXISTS (SELECT 1 FROM invitations WHERE connection_id = c.id AND finished_at IS NULL)
               OR (c.reason = 'response_lost' AND EXISTS
                   (SELECT 1 FROM invitations WHERE connection_id = c.id AND finished_at IS NOT NULL)))
          AND NOT EXISTS (SELECT 1 FROM attempts
                          WHERE connection_id = c.id AND action = 'exchange_code' AND outcome IS NULL)
    ORDER BY c.id
"""
"""Who was invited and waits still; not who is just coming back with a code of their own.
Without an open invitation nobody asks for them, and an operator may have revoked them; but who had been
connected, and was given up for an answer that was taken for lost, is taken back by the pair in it.
"""


def share(db: sqlite3.Connection, asked_id: int, pair_id: int, verdict: Verdict, now: datetime) -> None:
    """Let a pair serve all that its user's consent has connected, beside what they were asked for.

    Where that itself was not connected, the first of the others becomes the pair's owner.
    """
    if not verdict.seen:
        return
    waiting = _waiting(db, asked_id)
    if not waiting:
        return
    found = covered(waiting, verdict.seen, verdict.chosen, _claimed(db))
    if not found:
        return
    owner = asked_id
    if verdict.state is not State.MIGRATED:
        owner = found[0].connection_id
        _give(db, pair_id, owner, now)
    for one in found:
        _settle(db, one, owner, pair_id, now)


def _waiting(db: sqlite3.Connection, asked_id: int) -> list[Waiting]:
    """Who waits of those that are invited at an address of this one's."""
    (contact,) = db.execute("SELECT contact_email FROM connections WHERE id = ?", [asked_id]).fetchone()
    asked = addresses(contact)
    if not asked:
        return []
    return [
        Waiting(row[0], row[1], row[2], row[3])
        for row in db.execute(_WAITING, [asked_id])
        if not asked.isdisjoint(addresses(row[4]))
    ]


def _claimed(db: sqlite3.Connection) -> frozenset[str]:
    """The tenants that connections have to their names."""
    rows = db.execute("SELECT DISTINCT tenant_id FROM connections WHERE tenant_id <> ''")
    return frozenset(tenant_id.lower() for (tenant_id,) in rows)


def _give(db: sqlite3.Connection, pair_id: int, owner: int, now: datetime) -> None:
    db.execute(
        "UPDATE token_pairs SET replaced_at = ? WHERE connection_id = ? AND replaced_at IS NULL",
        [time_text(now), owner],
    )
    db.execute("UPDATE token_pairs SET connection_id = ?, replaced_at = NULL WHERE id = ?", [owner, pair_id])


def _settle(db: sqlite3.Connection, one: Covered, owner: int, pair_id: int, now: datetime) -> None:
    moment = time_text(now)
    (user_id, assumed) = db.execute(
        "SELECT user_id, lifetime_assumed FROM token_pairs WHERE id = ?", [pair_id]
    ).fetchone()
    db.execute(
        """UPDATE connections
           SET state = ?, reason = ?, served_by = ?, user_id = ?, doubt = NULL, not_before = NULL, tries = 0,
               tenant_id = CASE tenant_id WHEN '' THEN ? ELSE tenant_id END, updated_at = ?
           WHERE id = ?""",
        [
            State.MIGRATED.value,
            one.reason or (LIFETIME_ASSUMED if assumed else ""),
            None if one.connection_id == owner else owner,
            user_id,
            one.tenant.id,
            moment,
            one.connection_id,
        ],
    )
    db.execute(
        """UPDATE invitations SET finished_at = ?, outcome = 'connected', problem = NULL, said = NULL,
                                  connected = ?, tenants = ?
           WHERE connection_id = ? AND finished_at IS NULL""",
        [
            moment,
            json.dumps([one.tenant.name or one.tenant.id]),
            json.dumps([one.tenant.id]),
            one.connection_id,
        ],
    )


def serving(db: sqlite3.Connection, connection_ids: Sequence[int]) -> frozenset[int]:
    """Those of the connections whose pair serves others."""
    (found,) = db.execute(
        """SELECT json_group_array(DISTINCT served_by) FROM connections
           WHERE served_by IN (SELECT value FROM json_each(?))""",
        [json.dumps(connection_ids)],
    ).fetchone()
    return frozenset(json.loads(found))


def follow(db: sqlite3.Connection, owner: int, verdict: Verdict, now: datetime) -> None:
    """Let those that are served by a connection's pair stand where it stands; or go, where it has ended."""
    served = db.execute("SELECT id, tenant_id, reason FROM connections WHERE served_by = ?", [owner])
    for connection_id, tenant_id, reason in served.fetchall():
        stands = followed(verdict, tenant_id, reason)
        db.execute(
            """UPDATE connections
               SET state = ?, reason = ?, doubt = ?, not_before = NULL, tries = 0, updated_at = ?,
                   served_by = CASE WHEN ? THEN served_by END
               WHERE id = ?""",
            [
                stands.state.value,
                stands.reason,
                stands.doubt.value if stands.doubt else None,
                time_text(now),
                stands.served,
                connection_id,
            ],
        )
