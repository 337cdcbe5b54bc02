"""What the ledger says: where the job stands, what is due, and the facts of the record. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from migrator.ledger.codec import Codec, maybe_time_of, time_of, time_text
from migrator.models import Action, AppType, Standing, State, StoredPair, TenantType, TokenPair

_STANDING = """
    SELECT c.id, c.key, c.app_type, c.state, c.reason, c.tenant_id, c.tenant_type,
           c.doubt, c.not_before, c.tries,
           l.material, l.expires_at,
           p.id, p.access_token, p.refresh_token, p.scope, p.tenant_id, p.user_id, p.expires_at, p.verified_at
    FROM connections c
    JOIN legacy_tokens l ON l.id =
        (SELECT id FROM legacy_tokens WHERE connection_id = c.id ORDER BY generation DESC LIMIT 1)
    LEFT JOIN token_pairs p ON p.id =
        (SELECT id FROM token_pairs WHERE connection_id = c.id AND replaced_at IS NULL AND dead_at IS NULL)
    WHERE c.id = ?
"""

_OPEN = "state IN ('pending', 'uncertain') AND tries < :max_attempts AND id <= :upto"


def standing(db: sqlite3.Connection, codec: Codec, connection_id: int) -> Standing:
    """Where one connection stands, with its secrets."""
    row = db.execute(_STANDING, [connection_id]).fetchone()
    return Standing(
        id=row[0],
        key=row[1],
        app_type=AppType(row[2]),
        state=State(row[3]),
        reason=row[4],
        tenant_id=row[5],
        tenant_type=TenantType(row[6]),
        doubt=Action(row[7]) if row[7] else None,
        not_before=maybe_time_of(row[8]),
        tries=row[9],
        legacy=codec.open_legacy(row[10], row[11]),
        pair=_pair(codec, row[12:]) if row[12] is not None else None,
    )


def _pair(codec: Codec, row: Sequence[object]) -> StoredPair:
    pair_id, access, refresh, scope, tenant_id, user_id, expires_at, verified_at = row
    if not (isinstance(pair_id, int) and isinstance(access, bytes) and isinstance(refresh, bytes)):
        raise TypeError("token_pairs holds a row of another shape")
    access_token, refresh_token = codec.open_pair(access, refresh)
    pair = TokenPair(
        access_token, refresh_token, time_of(str(expires_at)), str(scope), str(tenant_id), str(user_id)
    )
    return StoredPair(pair_id, pair, verified=verified_at is not None)


@dataclass(frozen=True)
class Range:
    """The part of the ledger that a job works on."""

    upto: int
    """The highest connection id."""
    max_attempts: int
    """Connections with as many fruitless calls in this run are left alone."""


def open_range(db: sqlite3.Connection, max_attempts: int, *, limit: int | None = None) -> Range:
    """The range of the first ``limit`` open connections, or of all."""
    if limit is None:
        (upto,) = db.execute("SELECT coalesce(max(id), 0) FROM connections").fetchone()
    else:
        (upto,) = db.execute(
            """SELECT coalesce(max(id), 0) FROM
               (SELECT id FROM connections WHERE state IN ('pending', 'uncertain') ORDER BY id LIMIT ?)""",
            [limit],
        ).fetchone()
    return Range(upto, max_attempts)


def due(db: sqlite3.Connection, within: Range, now: datetime, *, after: int, limit: int) -> list[int]:
    """Ids of open connections that may be called for now, in order, behind the id ``after``."""
    rows = db.execute(
        f"""SELECT id FROM connections
            WHERE {_OPEN} AND id > :after AND (not_before IS NULL OR not_before <= :now)
            ORDER BY id LIMIT :limit""",  # noqa: S608
        {
            "upto": within.upto,
            "max_attempts": within.max_attempts,
            "after": after,
            "now": time_text(now),
            "limit": limit,
        },
    )
    return [row[0] for row in rows]


def next_due(db: sqlite3.Connection, within: Range) -> datetime | None:
    """When the next open connection may be called for; None if none is open."""
    parameters = {"upto": within.upto, "max_attempts": within.max_attempts}
    (number, earliest) = db.execute(
        f"SELECT count(*), min(coalesce(not_before, '')) FROM connections WHERE {_OPEN}",  # noqa: S608
        parameters,
    ).fetchone()
    if not number:
        return None
    return time_of(earliest) if earliest else time_of("1970-01-01T00:00:00+00:00")


def open_count(db: sqlite3.Connection, within: Range) -> int:
    """How many connections of the range are open."""
    parameters = {"upto": within.upto, "max_attempts": within.max_attempts}
    (number,) = db.execute(f"SELECT count(*) FROM connections WHERE {_OPEN}", parameters).fetchone()  # noqa: S608
    return int(number)


def open_ids(db: sqlite3.Connection, within: Range) -> list[int]:
    """Ids of the open connections of a range, in order."""
    parameters = {"upto": within.upto, "max_attempts": within.max_attempts}
    return [row[0] for row in db.execute(f"SELECT id FROM connections WHERE {_OPEN} ORDER BY id", parameters)]  # noqa: S608


@dataclass(frozen=True)
class Run:
    """One run, as the ledger records it."""

    id: int
    command: str
    process: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    """``done``, ``incomplete``, ``stopped``, ``interrupted``, or None: under way, or killed."""
    accepted: int
    known: int
    rejected: int
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Status:
    """Where the job stands."""

    provider: str
    """Empty in a ledger without connections."""
    total: int
    states: dict[str, int]
    app_types: dict[str, dict[str, int]]
    reasons: dict[str, dict[str, int]]
    """State to reason to number, where there is a reason."""
    rejected: int
    pairs_stored: int
    """Pairs that are neither dead nor replaced."""
    pairs_verified: int
    users: int
    """How many different users the pairs name."""
    attempts: dict[str, int]
    """Calls by action."""
    last_run: Run | None


@contextmanager
def one_view(db: sqlite3.Connection) -> Iterator[None]:
    """Within it, everything read is of one moment, whatever a job writes meanwhile."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("COMMIT")


def status(db: sqlite3.Connection) -> Status:
    """Where the job stands."""
    states = dict.fromkeys((state.value for state in State), 0)
    app_types = {app_type.value: dict.fromkeys(states, 0) for app_type in AppType}
    reasons: dict[str, dict[str, int]] = {}
    for app_type, state, reason, number in db.execute(
        "SELECT app_type, state, reason, connections FROM summary"
    ):
        states[state] += number
        app_types[app_type][state] += number
        if reason:
            of_state = reasons.setdefault(state, {})
            of_state[reason] = of_state.get(reason, 0) + number
    provider = db.execute("SELECT provider FROM connections LIMIT 1").fetchone()
    (rejected,) = db.execute("SELECT count(*) FROM rejects").fetchone()
    stored, verified, users = db.execute(
        """SELECT count(*), count(verified_at), count(DISTINCT nullif(user_id, ''))
           FROM token_pairs WHERE dead_at IS NULL AND replaced_at IS NULL"""
    ).fetchone()
    last = next(runs(db, newest_first=True), None)
    return Status(
        provider=provider[0] if provider else "",
        total=sum(states.values()),
        states=states,
        app_types=app_types,
        reasons=reasons,
        rejected=rejected,
        pairs_stored=stored,
        pairs_verified=verified,
        users=users,
        attempts=dict(db.execute("SELECT action, count(*) FROM attempts GROUP BY action ORDER BY action")),
        last_run=last,
    )


def runs(db: sqlite3.Connection, *, newest_first: bool = False) -> Iterator[Run]:
    """Every run."""
    order = "DESC" if newest_first else "ASC"
    rows = db.execute(
        f"""SELECT id, command, process, started_at, finished_at, outcome, accepted, known, rejected, sources
            FROM runs ORDER BY id {order}"""  # noqa: S608
    )
    for row in rows:
        yield Run(
            row[0], row[1], row[2], time_of(row[3]), maybe_time_of(row[4]), row[5], row[6], row[7], row[8],
            tuple(row[9].split("\n")) if row[9] else (),
        )  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """One connection, as lists and reports show it."""

    key: str
    app_type: str
    organisation: str
    tenant_id: str
    tenant_type: str
    contact_email: str
    user_id: str
    state: str
    reason: str
    updated_at: str


_LISTED = (
    "key, app_type, organisation, tenant_id, tenant_type, contact_email, user_id, state, reason, updated_at"
)


def listed(db: sqlite3.Connection) -> Iterator[Listed]:
    """Every connection, streamed in the order in which they came."""
    return _listed(db, "1")


def needs_consent(db: sqlite3.Connection) -> Iterator[Listed]:
    """The connections whose users must authorise again."""
    return _listed(db, "state = 'needs_consent'")


def problems(db: sqlite3.Connection) -> Iterator[Listed]:
    """The connections of the view ``problems``."""
    return _listed(db, "key IN (SELECT key FROM problems)")


def _listed(db: sqlite3.Connection, where: str) -> Iterator[Listed]:
    for row in db.execute(f"SELECT {_LISTED} FROM connections WHERE {where} ORDER BY id"):  # noqa: S608
        yield Listed(*row)


def rejects(db: sqlite3.Connection) -> Iterator[tuple[str, int, str, str]]:
    """Source, line, reason and detail of every row that could not be used."""
    yield from db.execute("SELECT source, line, reason, detail FROM rejects ORDER BY id")
