"""What ``reconsent links`` tells its operator. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from migrator.wording import counted

if TYPE_CHECKING:
    from migrator.consent.links.mail_merge import Invited
    from migrator.consent.links.validity import Validity

_MOST_NAMED = 20
"""Rows that are named one by one; the JSON document names all."""


def summary(invited: Invited, output: Path) -> str:
    """What is in the file."""
    lengthened = f", {invited.lengthened:,} lengthened" if invited.lengthened else ""
    return f"{counted(invited.links, 'link')}, {invited.new:,} of them new{lengthened}: {output}"


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


def remarks(invited: Invited, validity: Validity, *, excel: bool) -> Iterator[str]:
    """What the operator might have expected to be otherwise, and what to do about it."""
    if invited.sooner:
        keep = counted(invited.sooner, "link keeps its", "links keep their")
        yield f"{keep} former end: give --valid to lengthen what ends too soon"
    if invited.later and validity.lengthens:
        end = counted(invited.later, "link ends", "links end")
        yield f"{end} later than that already: --valid never shortens one"
    if invited.beyond_ascii and not excel:
        yield "some names are not in ASCII: give --excel if the file is to be opened in Excel"


def unreachable(invited: Invited) -> Iterator[str]:
    """Which rows nobody can be written to for."""
    rows = invited.without_address
    if not rows:
        return
    yield f"{counted(len(rows), 'row has', 'rows have')} no address in contact_email that a mail could go to"
    for row in rows[:_MOST_NAMED]:
        said = f"contact_email is {row.contact_email!r}" if row.contact_email else "contact_email is empty"
        yield f"connection {row.key} ({row.organisation or 'no organisation'}): {said}"
    if len(rows) > _MOST_NAMED:
        yield f"and {len(rows) - _MOST_NAMED:,} more: --json names all"
