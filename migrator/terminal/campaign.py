"""Those who must authorise again, as text for people and as rows for scripts. Pure: facts in, text out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from migrator.ledger.campaign import CampaignEntry
from migrator.terminal.present import reason_text
from migrator.terminal.printable import printable
from migrator.terminal.tables import csv_lines, folded, shortened, table_lines
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


def campaign_lines(people: Callable[[], Iterable[CampaignEntry]]) -> Iterator[str]:
    """A table with what people look for, if there is anybody, and how many must still authorise.

    ``people`` gives them anew at each call, in the same order: there may be more than fit into memory.
    """
    everybody = must = typed = 0
    for person in people():
        everybody += 1
        must += person.state == "needs_consent"
        typed += bool(person.app_type)
    if everybody:  # not every provider has application types
        yield from table_lines(
            _HEADERS if typed else _shorter(_HEADERS),
            lambda: map(_row if typed else lambda person: _shorter(_row(person)), people()),
        )
    if must:
        yield counted(must, "user must", "users must") + " authorise again"
    else:
        yield "Nobody must authorise again."


def _row(person: CampaignEntry) -> tuple[str, ...]:
    return (
        person.key,
        shortened(person.organisation),
        person.contact_email,
        person.app_type,
        reason_text(person.reason, person.state) if person.reason else "",
        person.invitation.replace("_", " "),
        _last_visit(person),
    )


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
