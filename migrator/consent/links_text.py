"""What ``reconsent links`` tells its operator. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrator.consent.links import Invited, Term

_MOST_NAMED = 20
"""Rows that are named one by one; the JSON document names all."""


def summary(invited: Invited, output: Path) -> str:
    """What is in the file."""
    lengthened = f", {invited.lengthened:,} lengthened" if invited.lengthened else ""
    return f"{_links(invited.links)}, {invited.new:,} of them new{lengthened}: {output}"


def document(invited: Invited, output: Path) -> Mapping[str, object]:
    """The same for programs."""
    return {
        "output": str(output),
        "links": invited.links,
        "new": invited.new,
        "lengthened": invited.lengthened,
        "without_address": [
            {"connection_id": one.key, "organisation": one.organisation, "contact_email": one.contact_email}
            for one in invited.without_address
        ],
    }


def remarks(invited: Invited, term: Term, *, excel: bool) -> Iterator[str]:
    """What the operator might have expected to be otherwise, and what to do about it."""
    if invited.sooner:
        verb, them = ("keeps its", "it") if invited.sooner == 1 else ("keep their", "them")
        yield f"{_links(invited.sooner)} {verb} former end: give --valid to lengthen {them}"
    if invited.later and term.lengthens:
        verb = "ends" if invited.later == 1 else "end"
        yield f"{_links(invited.later)} {verb} later than that already: --valid never shortens one"
    if invited.beyond_ascii and not excel:
        yield "some names are not in ASCII: give --excel if the file is to be opened in Excel"


def unreachable(invited: Invited) -> Iterator[str]:
    """Which rows nobody can be written to for."""
    rows = invited.without_address
    if not rows:
        return
    number = "1 row has" if len(rows) == 1 else f"{len(rows):,} rows have"
    yield f"{number} no address in contact_email that a mail could go to"
    for row in rows[:_MOST_NAMED]:
        said = f"contact_email is {row.contact_email!r}" if row.contact_email else "contact_email is empty"
        yield f"connection {row.key} ({row.organisation or 'no organisation'}): {said}"
    if len(rows) > _MOST_NAMED:
        yield f"and {len(rows) - _MOST_NAMED:,} more: --json names all"


def _links(number: int) -> str:
    return "1 link" if number == 1 else f"{number:,} links"
