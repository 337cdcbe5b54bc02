"""Invitations to consent: who was invited, until when, and how each stands.

An invitation's id is random and says nothing; the token of its link is that id, signed, so that the ledger
alone does not tell the links.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from migrator.ledger.file.codec import Codec
from migrator.ledger.file.session import Session
from migrator.ledger.file.times import maybe_time_of, time_of, time_text
from migrator.models import RESPONSE_LOST, UNVERIFIED, State
from migrator.rules.addresses import addresses
from migrator.rules.tenants import NO_TENANT, OTHER_TENANT

LINKS = "links of the consent campaign"
"""What the links' key is derived for."""


FAILED_OUTCOMES = frozenset({RESPONSE_LOST, UNVERIFIED, OTHER_TENANT, NO_TENANT})
"""Reasons that a user's visit may have given a connection: they say nothing of why its user was asked."""

_MOST_REMAINING = 100
_COUNTS = "i.finished_at IS NULL AND i.expires_at > ?"
"""Of an invitation ``i``: whether it is still of use, at a time."""

_FIRST_REASON = """
    CASE WHEN reason NOT IN (SELECT value FROM json_each(?6)) THEN reason
         ELSE coalesce((SELECT why FROM invitations i WHERE i.connection_id = connections.id AND why <> ''
                        ORDER BY created_at DESC LIMIT 1),
                       CASE WHEN app_type IN (SELECT value FROM json_each(?7)) THEN app_type || '_app'
                            ELSE reason END) END
"""
"""Why a connection's user was needed before there were mishaps; that of an application type which is not
swapped has always been the type.
"""


@dataclass(frozen=True)
class Invitee:
    """A connection whose user is invited, as a mail merge needs it."""

    invitation_id: str
    expires_at: datetime
    key: str
    organisation: str
    contact_email: str
    reason: str
    further: Mapping[str, object]
    """The input's further columns."""


@dataclass(frozen=True)
class Invitation:
    """An invitation and the connection that it is for, as far as pages need them."""

    id: str
    connection_id: int
    key: str
    organisation: str
    state: State
    reason: str
    has_pair: bool
    """Whether a pair stands for the connection."""
    expires_at: datetime
    finished_at: datetime | None = None
    outcome: str = ""
    """What came of the user's last visit at the provider: a word of ``rules.visit_outcome``, or empty."""
    connected: tuple[str, ...] = ()
    """The names of what the user connected then."""
    tenants: tuple[str, ...] = ()
    """And the ids."""
    exchanging_since: datetime | None = None
    """When the exchange of a code began that is not over."""
    why: str = ""
    """The reason to invite, whatever has happened since."""


class Invitations:
    """The invitations of an open ledger, as whoever invites needs them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def invite(self, expires_at: datetime) -> int:
        """Invite whoever must consent and holds no invitation that still counts; returns how many.

        An invitation is of use until ``expires_at`` (UTC).
        """
        session = self._session
        unswapped = [app_type for app_type, swaps in session.rules.app_types.items() if not swaps]
        return session.write(lambda db: _invite(db, session.run_id, expires_at, session.now(), unswapped))

    def lengthen(self, expires_at: datetime) -> int:
        """Let those that end before ``expires_at`` (UTC) end then; returns how many. None ends sooner."""
        return self._session.write(lambda db: _lengthen(db, expires_at, self._session.now()))

    def invitees(self) -> Iterator[Invitee]:
        """Everybody whose invitation counts, with the input's further columns, decrypted."""
        return _invitees(self._session.reader(), self._session.codec, self._session.now())


def _invite(
    db: sqlite3.Connection, run_id: int, expires_at: datetime, now: datetime, unswapped: Sequence[str]
) -> int:
    """Invite whoever must consent and holds no invitation that still counts; returns how many.

    ``unswapped`` are the application types whose tokens are not swapped.
    """
    rows = db.execute(
        f"""SELECT c.id FROM connections c WHERE c.state = 'needs_consent' AND NOT EXISTS
            (SELECT 1 FROM invitations i WHERE i.connection_id = c.id AND {_COUNTS}) ORDER BY c.id""",  # noqa: S608
        [time_text(now)],
    ).fetchall()
    moment, ends = time_text(now), time_text(expires_at)
    reasons = (json.dumps(sorted(FAILED_OUTCOMES)), json.dumps(unswapped))
    db.executemany(
        f"""INSERT INTO invitations (id, connection_id, run_id, created_at, expires_at, why)
            SELECT ?1, id, ?3, ?4, ?5, {_FIRST_REASON} FROM connections WHERE id = ?2""",  # noqa: S608
        (
            (secrets.token_urlsafe(16), connection_id, run_id, moment, ends, *reasons)
            for (connection_id,) in rows
        ),
    )
    return len(rows)


def _lengthen(db: sqlite3.Connection, expires_at: datetime, now: datetime) -> int:
    """Let every invitation that counts do so until then at the least; returns how many end later now."""
    cursor = db.execute(
        f"""UPDATE invitations AS i SET expires_at = ?1 WHERE {_COUNTS.replace("?", "?2")} AND expires_at < ?1
            AND connection_id IN (SELECT id FROM connections WHERE state = 'needs_consent')""",  # noqa: S608
        [time_text(expires_at), time_text(now)],
    )
    return cursor.rowcount


def _invitees(db: sqlite3.Connection, codec: Codec, now: datetime) -> Iterator[Invitee]:
    """Everybody whose invitation counts."""
    for row in db.execute(
        f"""SELECT i.id, i.expires_at, c.key, c.organisation, c.contact_email, c.reason, c.further
            FROM connections c JOIN invitations i ON i.connection_id = c.id
            WHERE c.state = 'needs_consent' AND {_COUNTS} ORDER BY c.id""",  # noqa: S608
        [time_text(now)],
    ):
        yield Invitee(row[0], time_of(row[1]), row[2], row[3], row[4], row[5], codec.open_further(row[6]))


def invitation(db: sqlite3.Connection, invitation_id: str) -> Invitation | None:
    """An invitation, and where its connection stands; None if there is no such invitation."""
    row = db.execute(
        """SELECT i.id, c.id, c.key, c.organisation, c.state, c.reason,
                  EXISTS (SELECT 1 FROM token_pairs WHERE connection_id = coalesce(c.served_by, c.id)
                          AND replaced_at IS NULL AND dead_at IS NULL),
                  i.expires_at, i.finished_at, i.outcome, i.connected, i.tenants,
                  (SELECT max(started_at) FROM attempts
                   WHERE connection_id = c.id AND action = 'exchange_code' AND outcome IS NULL),
                  i.why
           FROM invitations i JOIN connections c ON c.id = i.connection_id WHERE i.id = ?""",
        [invitation_id],
    ).fetchone()
    if row is None:
        return None
    return Invitation(
        id=row[0],
        connection_id=row[1],
        key=row[2],
        organisation=row[3],
        state=State(row[4]),
        reason=row[5],
        has_pair=bool(row[6]),
        expires_at=time_of(row[7]),
        finished_at=maybe_time_of(row[8]),
        outcome=row[9] or "",
        connected=tuple(json.loads(row[10])) if row[10] else (),
        tenants=tuple(json.loads(row[11])) if row[11] else (),
        exchanging_since=maybe_time_of(row[12]),
        why=row[13],
    )


@dataclass(frozen=True)
class Remaining:
    """An invitation that still counts, beside one that was followed."""

    id: str
    organisation: str
    for_all: bool
    """Whether all whom that one was sent to were sent this one too."""


def remaining(db: sqlite3.Connection, invitation_id: str, now: datetime) -> tuple[Remaining, ...]:
    """The invitations that still count and went to an address that this one went to."""
    (connection_id, contact) = db.execute(
        """SELECT c.id, c.contact_email FROM invitations i JOIN connections c ON c.id = i.connection_id
           WHERE i.id = ?""",
        [invitation_id],
    ).fetchone()
    asked = addresses(contact)
    rows = db.execute(
        f"""SELECT i.id, c.organisation, c.contact_email
            FROM connections c JOIN invitations i ON i.connection_id = c.id AND {_COUNTS}
            WHERE c.state = 'needs_consent' AND c.id <> ? ORDER BY c.id""",  # noqa: S608
        [time_text(now), connection_id],
    )
    known = ((row[0], row[1], addresses(row[2])) for row in (rows if asked else ()))
    found = (Remaining(id_, name, asked <= other) for id_, name, other in known if asked & other)
    return tuple(islice(found, _MOST_REMAINING))
