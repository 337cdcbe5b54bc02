"""What the ledger says to people: where the job stands, and the facts of the record. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from migrator.ledger import runs
from migrator.ledger.file.codec import maybe_time_of, time_text
from migrator.ledger.runs import Run
from migrator.models import State


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


@dataclass(frozen=True)
class Status:
    """Where the job stands."""

    provider: str
    """Empty in a ledger without connections."""
    total: int
    states: dict[str, int]
    app_types: dict[str, dict[str, int]]
    """Application type to state to number; one of no name where the provider has no types."""
    reasons: dict[str, dict[str, int]]
    """State to reason to number, where there is a reason."""
    rejected: int
    pairs: Pairs
    attempts: dict[str, int]
    """Calls by action."""
    last_run: Run | None
    resume_at: datetime | None = None
    """When the provider lets the job go on, where nothing can be done before (UTC)."""
    go_on_with: str = "resume"
    """The command that is of use then."""

    def with_app_types(self, names: Iterable[str]) -> Status:
        """The same with these application types in it first, whether there are connections of them or not."""
        of_none = {name: dict.fromkeys(self.states, 0) for name in names}
        return replace(self, app_types={**of_none, **self.app_types})


@contextmanager
def one_view(db: sqlite3.Connection) -> Iterator[None]:
    """Within it, everything read is of one moment, whatever a job writes meanwhile."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("COMMIT")


def status(db: sqlite3.Connection, now: datetime) -> Status:
    """Where the job stands."""
    states = dict.fromkeys((state.value for state in State), 0)
    app_types: dict[str, dict[str, int]] = {}
    reasons: dict[str, dict[str, int]] = {}
    for app_type, state, reason, number in db.execute(
        "SELECT app_type, state, reason, connections FROM summary"
    ):
        states[state] += number
        of_type = app_types.setdefault(app_type, dict.fromkeys(states, 0))
        of_type[state] += number
        if reason:
            of_state = reasons.setdefault(state, {})
            of_state[reason] = of_state.get(reason, 0) + number
    provider = db.execute("SELECT provider FROM connections LIMIT 1").fetchone()
    (rejected,) = db.execute("SELECT count(*) FROM rejects").fetchone()
    last = next(runs.listed_runs(db, newest_first=True), None)
    resume_at, go_on_with = _going_on(db, now)
    return Status(
        provider=provider[0] if provider else "",
        total=sum(states.values()),
        states=states,
        app_types=app_types,
        reasons=reasons,
        rejected=rejected,
        pairs=_pairs(db, now),
        attempts=dict(db.execute("SELECT action, count(*) FROM attempts GROUP BY action ORDER BY action")),
        last_run=last,
        resume_at=resume_at,
        go_on_with=go_on_with,
    )


_SOON = timedelta(minutes=15)
"""What is to be waited for less long, a job waits for itself."""


_GOES_ON_WITH = {"run": "resume", "resume": "resume", "verify": "verify", "refresh": "refresh"}
"""Which command goes on with the work of a run; others are not gone on with, or somebody must say how."""


def _going_on(db: sqlite3.Connection, now: datetime) -> tuple[datetime | None, str]:
    """When there is something to be done again, and with which command: what the newest job of a kind was
    told, or when the first connection may be called for.
    """
    newest: dict[str, Run] = {}
    for run in runs.listed_runs(db, newest_first=True):
        if run.command in _GOES_ON_WITH:
            newest.setdefault(_GOES_ON_WITH[run.command], run)
        if len(newest) == len(set(_GOES_ON_WITH.values())):
            break
    for command, run in newest.items():  # the newest first
        if run.resume_at is not None and run.resume_at > now:
            return run.resume_at, command
    (first,) = db.execute(
        """SELECT min(coalesce(not_before, '')) FROM connections
           WHERE state IN ('pending', 'uncertain')
                 AND coalesce(doubt, '') <> 'revoke' AND served_by IS NULL"""
    ).fetchone()
    moment = maybe_time_of(first or None)
    return (moment if moment is not None and moment > now + _SOON else None), "resume"


def _pairs(db: sqlite3.Connection, now: datetime) -> Pairs:
    stored, verified, exported, users = db.execute(
        """SELECT count(DISTINCT own_pair) FILTER (WHERE purged_at IS NULL),
                  count(DISTINCT own_pair) FILTER (WHERE verified_at IS NOT NULL),
                  count(DISTINCT CASE WHEN exported_at IS NOT NULL THEN stands_for_it END),
                  count(DISTINCT nullif(user_id, ''))
           FROM pairs"""
    ).fetchone()
    (several,) = db.execute("SELECT count(*) FROM users WHERE pairs > 1").fetchone()
    return Pairs(stored, verified, exported, users, several, _ends(db, now))


def _ends(db: sqlite3.Connection, now: datetime) -> Ends:
    first, soon, ended = db.execute(
        """SELECT min(refresh_expires_at), count(DISTINCT own_pair) FILTER (WHERE refresh_expires_at <= ?),
                   count(DISTINCT own_pair) FILTER (WHERE refresh_expires_at <= ?)
            FROM pairs WHERE exported_at IS NULL""",
        [time_text(now + timedelta(days=7)), time_text(now)],
    ).fetchone()
    return Ends(maybe_time_of(first), soon, ended)


def days_of_end(db: sqlite3.Connection) -> Iterator[tuple[str, int, int]]:
    """Day (UTC) on which refresh tokens end, how many that wait to be handed over, how many handed over."""
    yield from db.execute(
        """SELECT substr(refresh_expires_at, 1, 10) AS day,
                  count(DISTINCT own_pair) FILTER (WHERE exported_at IS NULL),
                  count(DISTINCT own_pair) FILTER (WHERE exported_at IS NOT NULL)
           FROM pairs WHERE day IS NOT NULL GROUP BY day ORDER BY day"""
    )


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
    refresh_expires_at: str
    """When its pair's refresh token ends; empty without a pair."""
    exported_at: str
    """When its pair was handed over; empty if it was not."""
    support_id: str = ""
    """What the provider's support asks for: of its last call that came to nothing; empty if there is none."""


_LISTED = """
    SELECT c.key, c.app_type, c.organisation, c.tenant_id, c.tenant_type, c.contact_email, c.user_id, c.state,
           c.reason, c.updated_at, coalesce(p.refresh_expires_at, ''), coalesce(p.exported_at, ''),
           coalesce((SELECT support_id FROM attempts
                     WHERE connection_id = c.id AND support_id <> '' AND outcome <> 'done'
                     ORDER BY id DESC LIMIT 1), '')
    FROM connections c LEFT JOIN pairs p ON p.key = c.key
"""


def listed(db: sqlite3.Connection) -> Iterator[Listed]:
    """Every connection, streamed in the order in which they came."""
    return _listed(db, "1")


def needs_consent(db: sqlite3.Connection) -> Iterator[Listed]:
    """The connections whose users must authorise again."""
    return _listed(db, "c.state = 'needs_consent'")


def problems(db: sqlite3.Connection) -> Iterator[Listed]:
    """The connections of the view ``problems``."""
    return _listed(db, "c.key IN (SELECT key FROM problems)")


def _listed(db: sqlite3.Connection, where: str) -> Iterator[Listed]:
    for row in db.execute(f"{_LISTED} WHERE {where} ORDER BY c.id"):
        yield Listed(*row)
