"""Who is invited, as a file for a mail merge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from migrator.consent.public_url import LINK, PublicUrl
from migrator.consent.tokens import Tokens
from migrator.errors import OutputError
from migrator.ledger import Invitee
from migrator.output import write_new_file
from migrator.tabular import csv_lines
from migrator.workshop import Workshop

COLUMNS = ("connection_id", "organisation", "contact_email", "reason", "link", "expires_at")


@dataclass(frozen=True)
class Invited:
    """What came of it."""

    links: int
    """Rows in the file."""
    new: int
    """How many of them were invited just now; the others hold the same link as before."""


def write_links(workshop: Workshop, public_url: PublicUrl, valid: timedelta, output: Path) -> Invited:
    """Invite whoever must consent, and write a link for each into a new file of mode 0600.

    Raises ``OutputError`` if there is such a file already, or it cannot be written; who was invited meanwhile
    gets the same link the next time.
    """
    if output.exists() or output.is_symlink():
        raise OutputError(f"{output} exists already", hint="links never replace a file: name another")
    with workshop.run("reconsent links") as bench:
        new = bench.ledger.invite(workshop.clock() + valid)
        tokens = Tokens(bench.ledger.link_key)
        further: dict[str, None] = {}
        number = 0
        for invitee in bench.ledger.invitees():
            further.update(dict.fromkeys(invitee.further))
            number += 1
        rows = _rows(bench.ledger.invitees(), tuple(further), tokens, public_url)
        write_new_file(output, csv_lines((*COLUMNS, *map(_heading, further)), rows))
        bench.ledger.end_run("done")
    return Invited(number, new)


def _heading(name: str) -> str:
    """A further column keeps its name, unless it is called as one of ours."""
    return f"input_{name}" if name in COLUMNS else name


def _rows(
    invitees: Iterable[Invitee], further: tuple[str, ...], tokens: Tokens, public_url: PublicUrl
) -> Iterator[list[object]]:
    for invitee in invitees:
        yield [
            invitee.key,
            invitee.organisation,
            invitee.contact_email,
            invitee.reason,
            public_url.of(LINK + tokens.of(invitee.invitation_id)),
            invitee.expires_at.isoformat(timespec="seconds"),
            *(_cell(invitee.further.get(name)) for name in further),
        ]


def _cell(value: object) -> object:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, dict | list) else value
