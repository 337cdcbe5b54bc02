"""The sections that a report for people has, whatever it is written in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from migrator.ledger.lists import Listed
from migrator.models import State
from migrator.reports.interface import Facts
from migrator.terminal.delivered import delivery_lines
from migrator.terminal.durations import duration_text
from migrator.terminal.present import days_text, moment_text, reason_text
from migrator.wording import counted

LONGEST_LIST = 1_000
"""Rows of a list that a person would read; the CSV and JSON reports have them all."""

STATE_TEXT = {
    State.MIGRATED: "migrated",
    State.PENDING: "not sent yet",
    State.IN_FLIGHT: "under way",
    State.NEEDS_CONSENT: "must consent again",
    State.UNCERTAIN: "uncertain",
    State.FAILED: "failed",
}


@dataclass(frozen=True)
class Section:
    """A heading, a sentence, and a table."""

    title: str
    text: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]


def headline(facts: Facts) -> str:
    """How the migration stands, in a sentence."""
    states = facts.status.states
    types = facts.swapped_types
    swapped = [sum(facts.status.app_types.get(app_type, {}).values()) for app_type in types]
    swappable = sum(swapped) if types else facts.status.total
    migrated, consent = states[State.MIGRATED], states[State.NEEDS_CONSENT]
    open_ = facts.status.total - migrated - consent
    verb = "is" if migrated == 1 else "are"
    kind = f"{' or '.join(types)} connection" if types else "connection"
    of_all = f"{migrated:,} of {counted(swappable, kind)} {verb} migrated"
    again = counted(consent, "user must consent again", "users must consent again")
    left = counted(open_, "is open", "are open") if open_ else "nothing is open"
    return f"{of_all}; {again}; {left}."


def deadline_text(facts: Facts) -> str:
    """How the migration stands against its deadline; empty without one."""
    if facts.deadline is None:
        return ""
    days = (facts.deadline - facts.generated_at.date()).days
    left = f"{days_text(days)} left" if days >= 0 else f"it passed {days_text(-days)} ago"
    open_ = facts.status.total - facts.status.states[State.MIGRATED]
    not_migrated = counted(open_, "connection is", "connections are")
    return f"Deadline {facts.deadline}: {left}, {not_migrated} not migrated."


def sections(facts: Facts) -> Iterator[Section]:
    """What a person wants to know, the most important first."""
    yield _by_app_type(facts)
    yield _list(
        "When refresh tokens end",
        "Unless they are used before: the job refreshes those that wait, the application those it took over.",
        ("day (UTC)", "waiting to be handed over", "handed over"),
        facts.days_of_end(),
        empty="No day is known.",
    )
    typed = any(facts.status.app_types)
    yield _list(
        "Must consent again",
        "Their users have to authorise the new application themselves.",
        ("key", "organisation", "contact", *(["application"] if typed else []), "why"),
        (
            (
                c.key,
                c.organisation,
                c.contact_email,
                *([c.app_type] if typed else []),
                reason_text(c.reason, c.state),
            )
            for c in facts.needs_consent()
        ),
    )
    yield _list(
        "Problems",
        "What failed, is uncertain, or is migrated and not as it should be, or was not taken."
        " 'migrator resume' asks again what is uncertain.",
        ("key", "organisation", "state", "why", "since"),
        (
            (
                c.key,
                c.organisation,
                STATE_TEXT[State(c.state)],
                _why(c),
                c.updated_at[:19],
            )
            for c in facts.problems()
        ),
    )
    yield _list(
        "Rejected rows",
        "Rows of the input that could not be used.",
        ("file", "line", "why", ""),
        facts.rejects(),
    )
    yield _runs(facts)


def _why(connection: Listed) -> str:
    reason = reason_text(connection.reason, connection.state)
    if not connection.delivery_problem:
        return reason
    return "; ".join(filter(None, (reason, f"its pair was not taken: {connection.delivery_problem}")))


def _by_app_type(facts: Facts) -> Section:
    states = [state for state in State if facts.status.states[state]]
    rows: list[Sequence[object]] = []
    for app_type, numbers in facts.status.app_types.items():
        if app_type and any(numbers.values()):
            rows.append((app_type, *(numbers[state] for state in states), sum(numbers.values())))
    rows.append(("all", *(facts.status.states[state] for state in states), facts.status.total))
    headers = ("application", *(STATE_TEXT[state] for state in states), "all")
    if len(rows) == 1:  # without application types, one row says it all
        headers, rows = headers[1:], [rows[0][1:]]
    status = facts.status
    of_pairs = status.pairs
    stored = counted(of_pairs.stored, "OAuth 2.0 pair is stored", "OAuth 2.0 pairs are stored")
    pairs = f"{stored}, for {counted(of_pairs.users, 'user')}."
    if of_pairs.verified:
        pairs += f" {counted(of_pairs.verified, 'of them was', 'of them were')} seen to work since."
    if of_pairs.exported:
        pairs += f" {counted(of_pairs.exported, 'was', 'were')} handed over to the application."
    pairs = " ".join((pairs, *(f"{line[0].upper()}{line[1:]}." for line in delivery_lines(status.delivery))))
    return Section("Connections", pairs, headers, rows)


def _list(
    title: str, text: str, headers: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "None."
) -> Section:
    rows = iter(rows)
    shown = list(islice(rows, LONGEST_LIST))
    more = sum(1 for _ in rows)
    if more:
        text += f" The first {LONGEST_LIST:,} of {LONGEST_LIST + more:,}; the CSV and JSON reports list all."
    return Section(title, text if shown else empty, headers, shown)


def _runs(facts: Facts) -> Section:
    rows = [
        (
            run.command,
            moment_text(run.started_at),
            duration_text(run.finished_at - run.started_at) if run.finished_at else "",
            run.outcome or "under way or killed",
            run.accepted,
            run.rejected,
        )
        for run in facts.runs
    ]
    calls = ", ".join(f"{number:,} {action}" for action, number in facts.status.attempts.items()) or "none"
    return Section(
        "Runs",
        f"Calls to the provider: {calls}.",
        ("command", "started", "took", "ended", "new rows", "rejected"),
        rows,
    )
