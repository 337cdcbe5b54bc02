"""Those who must authorise again, as text for people and as rows for scripts. Pure: facts in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from migrator.ledger import CampaignEntry
from migrator.terminal.present import reason_text
from migrator.terminal.printable import printable
from migrator.terminal.tables import csv_lines, folded, shortened, table
from migrator.wording import counted

_COLUMNS = (
    "key",
    "organisation",
    "contact_email",
    "app_type",
    "reason",
    "tenant_id",
    "tenant_type",
    "updated_at",
    "state",
    "invitation",
    "invited_at",
    "expires_at",
    "opened_at",
    "finished_at",
    "refused_at",
    "outcome",
    "problem",
    "connected",
    "said",
    "lost_track",
)

_PROVIDERS_WORD = frozenset(
    {"setup", "interaction_required", "login_required", "consent_required", "unknown_error", "no_answer"}
)
"""Outcomes to which the provider's own word says more."""


def campaign_document(person: CampaignEntry) -> dict[str, str]:
    """A row with all there is to know."""
    return {name: getattr(person, name) for name in _COLUMNS} | {"connected": "; ".join(person.connected)}


def campaign_csv(people: Iterable[CampaignEntry]) -> Iterator[str]:
    """The same as CSV, line by line."""
    return csv_lines(_COLUMNS, (list(campaign_document(person).values()) for person in people))


def campaign_text(people: Sequence[CampaignEntry]) -> str:
    """A table with what people look for, if there is anybody, and how many must still authorise."""
    rows = [
        (
            person.key,
            shortened(person.organisation),
            person.contact_email,
            person.app_type,
            reason_text(person.reason, person.state) if person.reason else "",
            person.invitation.replace("_", " "),
            _last_visit(person),
        )
        for person in people
    ]
    typed = any(person.app_type for person in people)  # not every provider has types
    number = sum(1 for person in people if person.state == "needs_consent")
    summary = (
        counted(number, "user must", "users must") + " authorise again"
        if number
        else "Nobody must authorise again."
    )
    if not rows:
        return summary
    headers = _HEADERS if typed else _shorter(_HEADERS)
    return f"{table(headers, rows if typed else map(_shorter, rows))}\n{summary}"


_HEADERS = ("key", "organisation", "contact", "app type", "why", "invitation", "last visit")


def _shorter(row: tuple[str, ...]) -> tuple[str, ...]:
    """Without the application type."""
    return row[:3] + row[4:]


def _last_visit(person: CampaignEntry) -> str:
    """What came of it, and what was connected, or what the provider said."""
    told = person.outcome.replace("_", " ")
    if person.connected:
        told += f": {folded(person.connected)}"
    elif person.outcome in _PROVIDERS_WORD:
        said = ", ".join(printable(word) for word in (person.problem, person.said) if word)
        told += f": {said}" if said else ""
    lost = f"came back without cookie: {person.lost_track}" if person.lost_track else ""
    return "; ".join(filter(None, (told, lost)))
