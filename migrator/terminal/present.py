"""The plan and the status, as text for people and as documents for scripts. Pure: facts in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from migrator.ledger.pair_counts import Pairs
from migrator.ledger.runs import Run
from migrator.ledger.status import Status
from migrator.models import State
from migrator.rules.next_step import Step
from migrator.rules.plan import Alike, Forecast, Tally
from migrator.terminal.delivered import delivery_document, delivery_lines
from migrator.terminal.durations import duration_text
from migrator.terminal.planned_calls import calls_lines, limit_document
from migrator.terminal.printable import printable
from migrator.terminal.tables import table
from migrator.wording import counted

_MOST_REJECTS_SHOWN = 20

_REASONS = {
    "valid": "the token is valid",
    "expiry_unknown": "the file names no end of the token: it is tried as it is",
    "token_expired": "the token has expired",
    "scope_missing": "the pair works, and was granted less than it should be",
    "other_account": "the pair is of another account than the legacy token",
    "already_exchanged": "the provider says that the token was exchanged before, by somebody else",
    "public_app": "public applications cannot be migrated",
    "private_app": "private applications cannot be migrated",
    "grant_revoked": "the user's authorisation was revoked",
    "access_token_refused": "the access token is refused, and nothing refreshes it",
    "grant_over": "the user's authorisation has ended",
    "response_lost": "an answer was lost, and is asked for again",
    "unverified_pair": "a pair is stored and not yet seen to work",
    "tenant_mismatch": "the pair does not reach the tenant that the file names",
    "lifetime_assumed": "the provider did not say how long the access token lives: taken as documented",
    "no_refresh_token": "the provider gave an access token and no refresh token: are the scopes right?",
    "unsendable": "what the row says cannot be sent: it has line ends where none can be",
    "provider_unavailable": "the provider could not be reached, or was in trouble",
    "signature_invalid": "the provider does not accept the signature: is the row's token secret right?",
    "migrated": "the pair is stored and works",
}


_STATE_OF = {Step.MUST_CONSENT: State.NEEDS_CONSENT.value}

_OF_STATE = {
    ("needs_consent", "response_lost"): "an answer was lost, and the legacy token brings no other",
    ("needs_consent", "token_expired"): "the token has expired, and cannot be renewed",
}


def reason_text(reason: str, state: str = "") -> str:
    """What a reason word means, for people; the word itself where it needs no explanation."""
    if (state, reason) in _OF_STATE:
        return _OF_STATE[state, reason]
    return _REASONS.get(reason, reason.replace("_", " "))


def plan_text(tally: Tally, ahead: Forecast) -> str:
    """The plan as a table, and what it means in time and conditions."""
    rows: list[tuple[object, ...]] = [
        (app_type, step.value, reason_text(reason, _STATE_OF.get(step, "")), number)
        for (app_type, step, reason), number in sorted(tally.steps.items())
    ]
    rows += [
        ("rejected row", Step.CANNOT_BE_USED.value, reason_text(reason), number)
        for reason, number in sorted(tally.rejected.items())
    ]
    parts = [
        *_misnamed(tally),
        _plan_table(tally, rows) if rows else "no rows",
        "",
    ]
    parts += [*_rejects(tally), *calls_lines(ahead), *_conditions(ahead), *_before(ahead)]
    return "\n".join(parts)


def _plan_table(tally: Tally, rows: Sequence[tuple[object, ...]]) -> str:
    """Without the application types where the provider has none."""
    if any(app_type for app_type, _, _ in tally.steps):
        return table(("app type", "action", "why", "number"), rows)
    return table(("action", "why", "number"), [row[1:] for row in rows])


def plan_document(tally: Tally, ahead: Forecast) -> Mapping[str, object]:
    """The same facts as one JSON document."""
    return {
        "connections": ahead.connections,
        "plan": [
            {"app_type": app_type, "action": step.value, "reason": reason, "connections": number}
            for (app_type, step, reason), number in sorted(tally.steps.items())
        ],
        "rejected": dict(sorted(tally.rejected.items())),
        "rejects": [asdict(reject) for reject in tally.rejects],
        "rejected_alike": [
            {**asdict(alike.first), "rows": alike.rows, "varied": alike.varied}
            for alike in tally.rejected_alike()
        ],
        "misnamed_columns": [asdict(misnamed) for misnamed in tally.misnamed],
        "calls": {action.value: number for action, number in ahead.calls.items()},
        "rate_per_minute": ahead.rate_per_minute,
        "limits": [limit_document(limit) for limit in ahead.limits],
        "left_to_ordinary_traffic": ahead.left,
        "duration_seconds": round(ahead.duration.total_seconds(), 1) if ahead.duration is not None else None,
        "deadline": ahead.deadline.isoformat() if ahead.deadline else None,
        "days_left": ahead.days_left,
        "deadline_ok": ahead.deadline_ok,
        "uncertified_limit": ahead.uncertified_limit,
        "over_uncertified_limit": ahead.over_uncertified_limit,
        "advice": [{"from_connections": one.connections, "text": one.text} for one in ahead.advice],
        "closed_since": ahead.closed.isoformat() if ahead.closed else None,
        "legacy_ends": ahead.legacy_ends.isoformat() if ahead.legacy_ends else None,
        "before": list(ahead.before),
    }


def status_text(status: Status, going_on: Sequence[str] = ()) -> str:
    """Where the job stands, as a table; ``going_on`` says when and how to go on, where that is not now."""
    if not status.total:
        return "The ledger holds no connections yet."
    states = [state for state in State if status.states[state]]
    rows: list[tuple[object, ...]] = [
        (
            app_type,
            *(status.app_types[app_type][state] for state in states),
            sum(status.app_types[app_type].values()),
        )
        for app_type in status.app_types
        if app_type and any(status.app_types[app_type].values())
    ]
    rows.append(("all", *(status.states[state] for state in states), status.total))
    headers = ("app type", *(state.value for state in states), "all")
    typed = len(rows) > 1  # without application types, one row says it all
    parts = [table(headers, rows) if typed else table(headers[1:], [rows[-1][1:]]), ""]
    parts += [
        f"{number:,} {state}: {reason_text(reason, state)}"
        for state, reasons in sorted(status.reasons.items())
        for reason, number in sorted(reasons.items())
    ]
    parts += _pairs_lines(status.pairs)
    parts += delivery_lines(status.delivery)
    if status.could_go_back:
        parts.append(
            counted(status.could_go_back, "connection", "connections")
            + " could still go back: the legacy token lives"
        )
    if status.rejected:
        parts.append(counted(status.rejected, "row was rejected", "rows were rejected"))
    if status.last_run is not None:
        parts.append(f"last run: {run_text(status.last_run)}")
    parts += going_on
    return "\n".join(parts)


def status_document(status: Status, ledger: Path) -> Mapping[str, object]:
    """Where the job stands, as one JSON document (contract: *status --json*)."""
    last = status.last_run
    return {
        "ledger": str(ledger),
        "provider": status.provider,
        "total": status.total,
        "states": status.states,
        "app_types": {name: states for name, states in status.app_types.items() if name},
        "reasons": status.reasons,
        "rejected": status.rejected,
        "pairs": pairs_document(status.pairs),
        "upkeep": upkeep_document(status.pairs),
        "delivery": delivery_document(status.delivery),
        "could_go_back": status.could_go_back,
        "last_run": run_document(last) if last is not None else None,
        "resume_at": status.resume_at.isoformat() if status.resume_at else None,
    }


def pairs_document(pairs: Pairs) -> Mapping[str, object]:
    """The pairs in numbers, as a JSON document."""
    return {
        "stored": pairs.stored,
        "verified": pairs.verified,
        "exported": pairs.exported,
        "users": pairs.users,
    }


def upkeep_document(pairs: Pairs) -> Mapping[str, object]:
    """What needs looking after, as a JSON document."""
    return {
        "users_with_several_pairs": pairs.users_with_several,
        "first_end": pairs.ends.first.isoformat() if pairs.ends.first else None,
        "ending_within_a_week": pairs.ends.within_a_week,
        "ended": pairs.ends.ended,
    }


def _pairs_lines(pairs: Pairs) -> list[str]:
    users = counted(pairs.users, "user")
    if pairs.users_with_several:
        users += f", {pairs.users_with_several:,} of them with several pairs"
    stored = f"{counted(pairs.stored, 'pair')} stored, {pairs.verified:,} verified"
    lines = [f"{stored}, {pairs.exported:,} handed over; {users}"]
    if pairs.ends.first is not None:
        lines.append(f"the first refresh token not handed over ends {moment_text(pairs.ends.first)}")
    if pairs.ends.within_a_week:
        lines.append(
            counted(pairs.ends.within_a_week, "refresh token ends", "refresh tokens end")
            + " within a week: 'migrator refresh' renews what ends"
        )
    return lines


def run_document(run: Run) -> Mapping[str, object]:
    """One run, as a JSON document."""
    return {
        "id": run.id,
        "command": run.command,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "outcome": run.outcome,
        "sources": list(run.sources),
        "accepted": run.accepted,
        "known": run.known,
        "rejected": run.rejected,
    }


def run_text(run: Run) -> str:
    """One run, in a line."""
    start = f"{run.command}, started {moment_text(run.started_at)}"
    if run.finished_at is None:
        return f"{start}, under way or killed (process {run.process})"
    return f"{start}, {run.outcome} after {duration_text(run.finished_at - run.started_at)}"


def moment_text(moment: datetime) -> str:
    """A time for people, in UTC."""
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def days_text(days: int) -> str:
    """A number of days for people."""
    return counted(days, "day")


def _misnamed(tally: Tally) -> list[str]:
    """The columns that are not read, and seem to be meant to be."""
    lines = [
        f"{printable(each.source)}: {counted(each.rows, 'row has', 'rows have')} no {each.column}, but"
        f" {each.name!r}, which looks like it and is not read as it:"
        f" if it is meant, call it {each.column}."
        for each in tally.misnamed
    ]
    return [*lines, ""] if lines else []


def _rejects(tally: Tally) -> list[str]:
    """The rejected rows as far as a person would read them; what several of one file have in common is said
    once.
    """
    told = list(tally.rejected_alike())
    few = sorted(
        (alike for alike in told if not alike.many),
        key=lambda alike: (alike.first.source, alike.first.line),
    )
    shown = [alike for alike in told if alike.many] + few[:_MOST_REJECTS_SHOWN]
    lines = [_reject(alike) for alike in shown]
    more = tally.rejected.total() - sum(alike.rows for alike in shown)
    if more:
        lines.append(f"… and {counted(more, 'more rejected row')}")
    return [*lines, ""] if lines else []


def _reject(alike: Alike) -> str:
    """The rows that one sentence is true of, or the first of many that have one each."""
    source, detail = printable(alike.first.source), printable(alike.first.detail)
    if not alike.many:
        *others, last = map(str, alike.lines)
        lines = f"{', '.join(others)} and {last}" if others else last
        return f"{source}:{lines}: {alike.first.reason}: {detail}"
    what = (
        f"{alike.first.reason}, of that one: {detail}" if alike.varied else f"{alike.first.reason}: {detail}"
    )
    return f"{source}: {counted(alike.rows, 'row')}, the first in line {alike.first.line}: {what}"


def _conditions(ahead: Forecast) -> list[str]:
    lines = []
    if ahead.legacy_ends is not None:
        lines.append(f"The provider ends OAuth 1.0a on {ahead.legacy_ends}.")
    if ahead.deadline is not None and ahead.days_left is not None:
        day = (
            f"in {days_text(ahead.days_left)}"
            if ahead.days_left >= 0
            else f"{days_text(-ahead.days_left)} ago"
        )
        in_time = "in time" if ahead.deadline_ok else "NOT in time"
        ends = f"; a job that starts now ends {in_time}" if ahead.deadline_ok is not None else ""
        lines.append(f"Deadline {ahead.deadline}: {day}{ends}.")
    if ahead.over_uncertified_limit:
        held = counted(ahead.uncertified_limit or 0, "connection")
        lines.append(
            f"The application is uncertified: it may hold {held},"
            f" {ahead.over_uncertified_limit:,} fewer than this. Have it certified first."
        )
    elif ahead.uncertified_limit is not None:
        held = counted(ahead.uncertified_limit, "connection")
        lines.append(f"The application is uncertified: it may hold {held}.")
    lines += [
        f"From {one.connections:,} connections on: {one.text}" if one.connections else one.text
        for one in ahead.advice
    ]
    return lines


def _before(ahead: Forecast) -> list[str]:
    """What must have been done before the first call, where there is one."""
    if not ahead.swaps or ahead.closed is not None or not ahead.before:
        return []
    return ["", "Before the first call:", *(f"  - {item}" for item in ahead.before)]
