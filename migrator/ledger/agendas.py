"""What an agenda still has to do: which connections are open, and which of them are due. Reads only."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime

from migrator.ledger.file.times import time_of, time_text
from migrator.rules.agenda import Agenda, Work

_PAIR_IN_HAND = """EXISTS (
    SELECT 1 FROM token_pairs own
    WHERE own.connection_id = connections.id AND own.replaced_at IS NULL AND own.dead_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM handings WHERE own_pair_id = own.id)
          AND (state = 'uncertain' OR {condition}))"""

_LEFT_UNCERTAIN = "(state = 'uncertain' AND coalesce(doubt, '') IN ('refresh', 'verify'))"
"""Settled by the next verification or refresh, though its pair may be dead by now."""

_CURED = """(state = 'pending' AND EXISTS (
    SELECT 1 FROM token_pairs WHERE connection_id = connections.id))"""
"""Has lost its pair to a refusal, and gets another for its legacy token."""

_OF_WORK = {
    Work.SWAP: "state IN ('pending', 'uncertain')",
    Work.VERIFY: _PAIR_IN_HAND.format(condition="coalesce(own.verified_at, '') < :moment"),
    Work.VERIFY_LIVING: _PAIR_IN_HAND.format(
        condition="coalesce(own.verified_at, '') < :moment"
        " AND (own.expires_at IS NULL OR own.expires_at > :begun OR NOT own.has_refresh_token)"
    ),
    Work.REFRESH_ENDING: _PAIR_IN_HAND.format(
        condition="own.has_refresh_token AND own.refresh_expires_at <= :moment AND own.obtained_at < :begun"
    ),
    Work.REFRESH_ALL: _PAIR_IN_HAND.format(condition="own.has_refresh_token AND own.obtained_at < :begun"),
    Work.DISABLE: """state = 'migrated' AND reason IN ('', 'lifetime_assumed') AND disabled_at IS NULL
        AND id NOT IN (SELECT connection_id FROM outbox)
        AND EXISTS (
            SELECT 1 FROM legacy_tokens WHERE connection_id = connections.id AND purged_at IS NULL)""",
}
_OF_EACH = frozenset({Work.DISABLE})
"""Work with the legacy tokens of those, too, whom another connection's pair serves."""


def _open(agenda: Agenda) -> tuple[str, dict[str, object]]:
    """The condition for what an agenda still has to do, and its parameters."""
    condition = _OF_WORK[agenda.work]
    if agenda.work not in (Work.SWAP, Work.DISABLE):
        # What an earlier verification or refresh left uncertain is settled on the way.
        condition = (
            f"({_CURED} OR (state IN ('migrated', 'uncertain') AND ({_LEFT_UNCERTAIN} OR {condition})))"
        )
    whose = "" if agenda.work in _OF_EACH else "AND served_by IS NULL"
    return (
        f"""{condition} {whose} AND coalesce(doubt, '') <> 'revoke'
            AND tries < :max_attempts AND id <= :upto""",
        {
            "max_attempts": agenda.max_attempts,
            "upto": agenda.upto,
            "moment": time_text(agenda.moment),
            "begun": time_text(agenda.begun),
        },
    )


def agenda_of(
    db: sqlite3.Connection,
    work: Work,
    moment: datetime,
    begun: datetime,
    max_attempts: int,
    *,
    limit: int | None = None,
) -> Agenda:
    """An agenda that takes in the first ``limit`` connections with such work to do, or all."""
    (upto,) = db.execute("SELECT coalesce(max(id), 0) FROM connections").fetchone()
    agenda = Agenda(work, upto, max_attempts, moment, begun)
    if limit is None:
        return agenda
    condition, parameters = _open(agenda)
    (upto,) = db.execute(
        f"""SELECT coalesce(max(id), 0) FROM
            (SELECT id FROM connections WHERE {condition} ORDER BY id LIMIT :limit)""",  # noqa: S608
        {**parameters, "limit": limit},
    ).fetchone()
    return replace(agenda, upto=upto)


def due(db: sqlite3.Connection, agenda: Agenda, now: datetime, *, after: int, limit: int) -> list[int]:
    """Ids of open connections that may be called for now, in order, behind the id ``after``."""
    condition, parameters = _open(agenda)
    rows = db.execute(
        f"""SELECT id FROM connections
            WHERE {condition} AND id > :after AND (not_before IS NULL OR not_before <= :now)
            ORDER BY id LIMIT :limit""",  # noqa: S608
        {**parameters, "after": after, "now": time_text(now), "limit": limit},
    )
    return [row[0] for row in rows]


def next_due(db: sqlite3.Connection, agenda: Agenda) -> datetime | None:
    """When the next open connection may be called for; None if none is open."""
    condition, parameters = _open(agenda)
    (number, earliest) = db.execute(
        f"SELECT count(*), min(coalesce(not_before, '')) FROM connections WHERE {condition}",  # noqa: S608
        parameters,
    ).fetchone()
    if not number:
        return None
    return time_of(earliest) if earliest else time_of("1970-01-01T00:00:00+00:00")


def open_count(db: sqlite3.Connection, agenda: Agenda) -> int:
    """How many connections of the agenda are open."""
    condition, parameters = _open(agenda)
    (number,) = db.execute(f"SELECT count(*) FROM connections WHERE {condition}", parameters).fetchone()  # noqa: S608
    return int(number)


def open_ids(db: sqlite3.Connection, agenda: Agenda) -> list[int]:
    """Ids of the open connections of an agenda, in order."""
    condition, parameters = _open(agenda)
    rows = db.execute(f"SELECT id FROM connections WHERE {condition} ORDER BY id", parameters)  # noqa: S608
    return [row[0] for row in rows]
