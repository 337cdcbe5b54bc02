"""The campaign, as the ledger records it: who was invited, who came, and what came of it.

An invitation's id is random and says nothing; the token of its link is that id, signed, so that the ledger
alone does not tell the links. That a state was used is written together with the intent of the call that uses
its code: neither of them happens twice.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from migrator.ledger import calls, connections, pairs, runs
from migrator.ledger.calls import EndedCall
from migrator.ledger.file.codec import Codec, maybe_time_of, maybe_time_text, time_of, time_text
from migrator.models import RESPONSE_LOST, Action, State
from migrator.models import UNVERIFIED as UNVERIFIED_PAIR
from migrator.rules.tenants import NO_TENANT, OTHER_TENANT, SEVERAL_TENANTS
from migrator.rules.transitions import Policy, Verdict, died

LINKS = "links of the consent campaign"
"""What the links' key is derived for."""

UNVERIFIED = "unverified"
"""Of an invitation's outcome: a pair is stored, and nobody has yet seen what it reaches."""

MISHAPS = frozenset({RESPONSE_LOST, UNVERIFIED_PAIR, OTHER_TENANT, NO_TENANT})
"""Reasons that a user's visit may have given a connection: they say nothing of why its user was asked."""

_MOST_REMAINING = 100
_COUNTS = "i.finished_at IS NULL AND i.expires_at > ?"
"""Of an invitation ``i``: whether it is still of use, at a time."""

_FIRST_REASON = """
    CASE WHEN reason NOT IN (SELECT value FROM json_each(?6)) THEN reason
         ELSE coalesce((SELECT why FROM invitations i WHERE i.connection_id = connections.id AND why <> ''
                        ORDER BY created_at DESC LIMIT 1),
                       CASE app_type WHEN 'public' THEN 'public_app' WHEN 'private' THEN 'private_app'
                                     ELSE reason END) END
"""
"""Why a connection's user was needed before there were mishaps."""


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
    """What came of the user's last visit at the provider: a word of ``consent.flow``, or empty."""
    connected: tuple[str, ...] = ()
    """The names of what the user connected then."""
    tenants: tuple[str, ...] = ()
    """And the ids."""
    exchanging_since: datetime | None = None
    """When the exchange of a code began that is not over."""
    why: str = ""
    """The reason to invite, whatever has happened since."""


@dataclass(frozen=True)
class Visit:
    """What came of a user's visit at the provider."""

    outcome: str
    problem: str = ""
    said: str = ""
    """What the provider said to it, masked, where an operator must know."""
    finished: bool = False
    """Whether what was asked for is connected."""
    refused: bool = False
    """Whether the user said no."""
    connected: tuple[str, ...] = ()
    """The names of what was connected."""
    tenants: tuple[str, ...] = ()
    """And the ids."""


def invite(db: sqlite3.Connection, run_id: int, expires_at: datetime, now: datetime) -> int:
    """Invite whoever must consent and holds no invitation that still counts; returns how many."""
    rows = db.execute(
        f"""SELECT c.id FROM connections c WHERE c.state = 'needs_consent' AND NOT EXISTS
            (SELECT 1 FROM invitations i WHERE i.connection_id = c.id AND {_COUNTS}) ORDER BY c.id""",  # noqa: S608
        [time_text(now)],
    ).fetchall()
    moment, mishaps = time_text(now), json.dumps(sorted(MISHAPS))
    db.executemany(
        f"""INSERT INTO invitations (id, connection_id, run_id, created_at, expires_at, why)
            SELECT ?1, id, ?3, ?4, ?5, {_FIRST_REASON} FROM connections WHERE id = ?2""",  # noqa: S608
        (
            (secrets.token_urlsafe(16), connection_id, run_id, moment, time_text(expires_at), mishaps)
            for (connection_id,) in rows
        ),
    )
    return len(rows)


def lengthen(db: sqlite3.Connection, expires_at: datetime, now: datetime) -> int:
    """Let every invitation that counts do so until then at the least; returns how many end later now."""
    cursor = db.execute(
        f"""UPDATE invitations AS i SET expires_at = ?1 WHERE {_COUNTS.replace("?", "?2")} AND expires_at < ?1
            AND connection_id IN (SELECT id FROM connections WHERE state = 'needs_consent')""",  # noqa: S608
        [time_text(expires_at), time_text(now)],
    )
    return cursor.rowcount


def invitees(db: sqlite3.Connection, codec: Codec, now: datetime) -> Iterator[Invitee]:
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


def remaining(db: sqlite3.Connection, invitation_id: str, now: datetime) -> tuple[Remaining, ...]:
    """The invitations that still count and went to the same address as this one."""
    rows = db.execute(
        f"""SELECT i.id, c.organisation
            FROM invitations asked JOIN connections a ON a.id = asked.connection_id
            JOIN connections c ON c.state = 'needs_consent' AND c.id <> a.id
                 AND trim(a.contact_email) <> ''
                 AND lower(trim(c.contact_email)) = lower(trim(a.contact_email))
            JOIN invitations i ON i.connection_id = c.id AND {_COUNTS}
            WHERE asked.id = ? ORDER BY c.id LIMIT {_MOST_REMAINING}""",  # noqa: S608
        [time_text(now), invitation_id],
    )
    return tuple(Remaining(*row) for row in rows)


def opened(db: sqlite3.Connection, invitation_id: str, now: datetime) -> None:
    """Somebody looked at the page of an invitation; the first time counts."""
    db.execute(
        "UPDATE invitations SET opened_at = ? WHERE id = ? AND opened_at IS NULL",
        [time_text(now), invitation_id],
    )


def lost_track(db: sqlite3.Connection, invitation_id: str) -> str | None:
    """Count one who came back without what their browser was given; returns the connection's key."""
    row = db.execute(
        """UPDATE invitations SET lost_track = lost_track + 1 WHERE id = ?
           RETURNING (SELECT key FROM connections WHERE id = connection_id)""",
        [invitation_id],
    ).fetchone()
    return str(row[0]) if row else None


def use_state(
    db: sqlite3.Connection, state_sha256: str, invitation_id: str, attempt_id: int | None, now: datetime
) -> None:
    """A user came back with this state. Raises ``AlreadyUsed`` for the second time."""
    try:
        db.execute(
            "INSERT INTO consents (state_sha256, invitation_id, attempt_id, used_at) VALUES (?, ?, ?, ?)",
            [state_sha256, invitation_id, attempt_id, time_text(now)],
        )
    except sqlite3.IntegrityError:
        raise AlreadyUsed from None


class AlreadyUsed(Exception):  # noqa: N818 - it is no fault
    """A state came a second time: a reload, the back button, or somebody who replays it."""


def begin_exchange(
    db: sqlite3.Connection, state_sha256: str, invitation_id: str, run_id: int, now: datetime
) -> int | None:
    """The intent to exchange a code, and that its state is used, in one; returns the attempt's id.

    None if the connection no longer waits for its user. Raises ``AlreadyUsed``.
    """
    (connection_id, state) = db.execute(
        """SELECT c.id, c.state FROM invitations i JOIN connections c ON c.id = i.connection_id
           WHERE i.id = ?""",
        [invitation_id],
    ).fetchone()
    if state != State.NEEDS_CONSENT:
        use_state(db, state_sha256, invitation_id, None, now)
        return None
    cursor = db.execute(
        "INSERT INTO attempts (connection_id, run_id, action, started_at) VALUES (?, ?, ?, ?)",
        [connection_id, run_id, Action.EXCHANGE_CODE.value, time_text(now)],
    )
    attempt_id = int(cursor.lastrowid or 0)
    use_state(db, state_sha256, invitation_id, attempt_id, now)
    return attempt_id


def end_exchange(db: sqlite3.Connection, codec: Codec, call: EndedCall, now: datetime) -> bool:
    """The outcome of an exchange, with the pair that it won; returns whether it decided anything.

    Where the connection has gone on without its user meanwhile, the pair is stored, and stands for nothing;
    and where it waits for what another visit of theirs has won, an exchange that won nothing changes nothing.
    """
    won = call.verdict.new_pair
    if _waits(db, call.connection_id) if won else _needs_consent(db, call.connection_id):
        calls.end_call(db, codec, call, now)
        return True
    calls.complete_call(db, codec, call, now)
    if won is not None:
        pairs.keep(db, codec, call.connection_id, call.attempt_id, won, now, set_aside=True)
    return False


def end_verification(db: sqlite3.Connection, codec: Codec, call: EndedCall, now: datetime) -> bool:
    """The outcome of a verification; returns whether it decided anything.

    It does not where another pair has come meanwhile, or somebody else has settled the connection.
    """
    stands = db.execute(
        "SELECT 1 FROM token_pairs WHERE id = ? AND replaced_at IS NULL AND dead_at IS NULL", [call.pair_id]
    ).fetchone()
    if stands and _waits(db, call.connection_id):
        calls.end_call(db, codec, call, now)
        return True
    calls.complete_call(db, codec, call, now)
    return False


def _waits(db: sqlite3.Connection, connection_id: int) -> bool:
    """Whether a connection waits for its user, or for what a consent of theirs has won."""
    row = db.execute(
        """SELECT 1 FROM connections WHERE id = ? AND
           (state = 'needs_consent' OR (state = 'uncertain' AND doubt = 'exchange_code'))""",
        [connection_id],
    ).fetchone()
    return row is not None


def _needs_consent(db: sqlite3.Connection, connection_id: int) -> bool:
    (state,) = db.execute("SELECT state FROM connections WHERE id = ?", [connection_id]).fetchone()
    return bool(state == State.NEEDS_CONSENT)


def note_visit(db: sqlite3.Connection, invitation_id: str, visit: Visit, now: datetime) -> None:
    """What came of a user's visit at the provider; what is finished stays so."""
    moment = time_text(now)
    db.execute(
        """UPDATE invitations SET outcome = ?, problem = ?, said = ?, connected = ?, tenants = ?,
           finished_at = CASE WHEN ? THEN ? END, refused_at = CASE WHEN ? THEN ? ELSE refused_at END
           WHERE id = ? AND finished_at IS NULL""",
        [
            visit.outcome,
            visit.problem or None,
            visit.said or None,
            json.dumps(visit.connected) if visit.connected else None,
            json.dumps(visit.tenants) if visit.tenants else None,
            visit.finished,
            moment,
            visit.refused,
            moment,
            invitation_id,
        ],
    )


def note_last_visit(db: sqlite3.Connection, connection_id: int, visit: Visit, now: datetime) -> None:
    """The same for whichever invitation of a connection a pair was last won by."""
    row = db.execute(
        """SELECT s.invitation_id FROM consents s JOIN invitations i ON i.id = s.invitation_id
           WHERE i.connection_id = ? AND s.attempt_id IS NOT NULL ORDER BY s.attempt_id DESC LIMIT 1""",
        [connection_id],
    ).fetchone()
    if row is not None:
        note_visit(db, row[0], visit, now)


def note_settled(db: sqlite3.Connection, connection_id: int, verdict: Verdict, now: datetime) -> None:
    """What the job has found out about a pair that a user's visit won, and nobody had seen work."""
    if not verdict.pair_verified:
        return
    row = db.execute(
        "SELECT id FROM invitations WHERE connection_id = ? AND outcome = ? AND finished_at IS NULL",
        [connection_id, UNVERIFIED],
    ).fetchone()
    if row is None:
        return
    if verdict.state is State.MIGRATED:
        outcome = SEVERAL_TENANTS if verdict.reason == SEVERAL_TENANTS else "connected"
        note_visit(db, row[0], Visit(outcome, verdict.problem, finished=True), now)
    else:
        outcome = {OTHER_TENANT: "other_tenant", NO_TENANT: "no_tenant"}[verdict.reason]
        note_visit(db, row[0], Visit(verdict.problem or outcome, verdict.reason), now)


@dataclass(frozen=True)
class Left:
    """What an earlier process of the application had left."""

    rescued: int
    """Answers from its rescue file, now in the ledger."""
    open_calls: int
    """Calls that were under way when it died."""
    unverified: tuple[int, ...]
    """Connections whose new pair nobody has seen work yet."""


def take_stock(
    db: sqlite3.Connection, codec: Codec, rescued: Iterable[EndedCall], policy: Policy, now: datetime
) -> Left:
    """Complete what an earlier process of the application left open when it died."""
    taken_in = 0
    for call in rescued:
        action = _open_action(db, call.attempt_id)
        if action is Action.EXCHANGE_CODE:
            if end_exchange(db, codec, call, now) and call.verdict.new_pair is not None:
                note_last_visit(db, call.connection_id, Visit(UNVERIFIED), now)
        elif action is Action.VERIFY:
            end_verification(db, codec, call, now)
        taken_in += action is not None
    open_calls = _recover(db, policy, now)
    return Left(taken_in, open_calls, unverified(db))


def unverified(db: sqlite3.Connection, now: datetime | None = None) -> tuple[int, ...]:
    """Connections whose new pair nobody has seen work yet; with ``now``, those that may be asked for then."""
    rows = db.execute(
        """SELECT id FROM connections WHERE state = 'uncertain' AND doubt = 'exchange_code'
           AND (? IS NULL OR coalesce(not_before, '') <= ?) ORDER BY id""",
        [maybe_time_text(now)] * 2,
    )
    return tuple(row[0] for row in rows)


def left_open(db: sqlite3.Connection) -> bool:
    """Whether a process of the application, alive or not, has calls under way."""
    row = db.execute(
        "SELECT 1 FROM attempts a JOIN runs r ON r.id = a.run_id WHERE a.outcome IS NULL AND r.command = ?",
        [runs.SERVE],
    ).fetchone()
    return row is not None


def _open_action(db: sqlite3.Connection, attempt_id: int) -> Action | None:
    row = db.execute("SELECT action FROM attempts WHERE id = ? AND outcome IS NULL", [attempt_id]).fetchone()
    return Action(row[0]) if row else None


def _recover(db: sqlite3.Connection, policy: Policy, now: datetime) -> int:
    rows: Sequence[tuple[int, int, str, str]] = db.execute(
        """SELECT a.id, a.connection_id, a.action, a.started_at FROM attempts a JOIN runs r ON r.id = a.run_id
           WHERE a.outcome IS NULL AND r.command = ?""",
        [runs.SERVE],
    ).fetchall()
    for attempt_id, connection_id, action, started_at in rows:
        verdict = died(Action(action), 0, time_of(started_at), policy)
        calls.complete(db, attempt_id, verdict, None, now)
        if action != Action.EXCHANGE_CODE:
            continue
        if _needs_consent(db, connection_id):
            connections.stand(db, connection_id, verdict, now)
        db.execute(
            """UPDATE invitations SET outcome = 'response_lost', problem = ?, said = NULL
               WHERE finished_at IS NULL
                     AND id = (SELECT invitation_id FROM consents WHERE attempt_id = ?)""",
            [verdict.problem, attempt_id],
        )
    return len(rows)


@dataclass(frozen=True)
class CampaignEntry:
    """A connection of the campaign, as lists show it; times are texts, empty where nothing happened."""

    key: str
    organisation: str
    contact_email: str
    app_type: str
    reason: str
    tenant_id: str
    tenant_type: str
    updated_at: str
    state: str
    invitation: str
    """``not_invited``, ``invited``, ``opened``, ``checking``, ``finished``, ``refused``, ``failed`` or
    ``expired``.
    """
    invited_at: str
    expires_at: str
    opened_at: str
    finished_at: str
    refused_at: str
    outcome: str
    problem: str
    said: str
    """What the provider said to it, masked, where that is the application's affair."""
    lost_track: str
    """How often somebody came back without their cookie; empty if nobody did."""
    connected: tuple[str, ...]
    """The names of what the user connected at the last visit."""


def campaign(db: sqlite3.Connection) -> Iterator[CampaignEntry]:
    """Whoever must consent or was invited to, in the order in which they came."""
    for row in db.execute(
        """SELECT c.key, c.organisation, c.contact_email, c.app_type, c.reason, c.tenant_id, c.tenant_type,
                  c.updated_at, c.state, i.invitation, coalesce(i.invited_at, ''), coalesce(i.expires_at, ''),
                  coalesce(i.opened_at, ''), coalesce(i.finished_at, ''), coalesce(i.refused_at, ''),
                  coalesce(i.outcome, ''), coalesce(i.problem, ''), coalesce(i.said, ''),
                  coalesce(nullif(i.lost_track, 0), '') || '', coalesce(i.connected, '[]')
           FROM invited i JOIN connections c ON c.key = i.key ORDER BY c.id"""
    ):
        yield CampaignEntry(*(*row[:-1], tuple(json.loads(row[-1]))))
