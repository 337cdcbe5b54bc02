"""Who is invited, as a file for a mail merge."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from migrator.consent.links.tokens import Tokens
from migrator.consent.links.validity import Validity
from migrator.consent.public_url import LINK, PublicUrl
from migrator.consent.way_to_consent import require_way_to_consent
from migrator.engine.engine import Engine
from migrator.ledger.invitations import Invitee
from migrator.output_files import require_new, write_new_file
from migrator.rules.addresses import addresses
from migrator.terminal.tables import csv_lines

COLUMNS = ("connection_id", "organisation", "contact_email", "reason", "link", "expires_at")
_BOM = "\ufeff"


@dataclass(frozen=True)
class Invited:
    """What came of it."""

    links: int
    """Rows in the file."""
    new: int
    """How many of them were invited just now; the others hold the same link as before."""
    lengthened: int
    """How many of those end later than they did."""
    sooner: int
    """How many still end before a new link does."""
    later: int
    """How many end after it."""
    without_address: tuple[Invitee, ...]
    """Whose row has no address that a mail could go to."""
    beyond_ascii: bool
    """Whether the file holds letters that Excel shows wrong unless the file says how they are written."""


def write_links(
    engine: Engine, public_url: PublicUrl, validity: Validity, output: Path, *, excel: bool = False
) -> Invited:
    """Invite whoever must consent, and write a link for each into a new file of mode 0600.

    With ``excel`` it begins with the mark by which Excel knows UTF-8. Raises ``OutputError`` if there is such
    a file already, or it cannot be written; who was invited meanwhile gets the same link the next time.
    Raises ``ConfigurationError`` where the links could lead nobody to the provider.
    """
    require_way_to_consent(engine.profile, "reconsent links")
    require_new(output, hint="links never replace a file: name another")
    with engine.open_run("reconsent links") as run:
        expires_at = engine.clock() + validity.duration
        new = run.ledger.invitations.invite(expires_at)
        lengthened = run.ledger.invitations.lengthen(expires_at) if validity.lengthens else 0
        further, invited = _survey(run.ledger.invitations.invitees(), expires_at, new, lengthened)
        rows = _rows(run.ledger.invitations.invitees(), further, Tokens(run.ledger.link_key), public_url)
        lines = csv_lines((*COLUMNS, *map(_heading, further)), rows)
        write_new_file(output, itertools.chain([_BOM] if excel else [], lines))
        run.ledger.end_run("done")
    return invited


def _survey(
    invitees: Iterable[Invitee], expires_at: datetime, new: int, lengthened: int
) -> tuple[tuple[str, ...], Invited]:
    """The further columns that anybody has, and what is to be told."""
    further: dict[str, None] = {}
    without: list[Invitee] = []
    number = sooner = later = 0
    beyond_ascii = False
    for invitee in invitees:
        further.update(dict.fromkeys(invitee.further))
        number += 1
        sooner += invitee.expires_at < expires_at
        later += invitee.expires_at > expires_at
        beyond_ascii = beyond_ascii or not _ascii(invitee.organisation, invitee.key, invitee.further)
        if not addresses(invitee.contact_email):
            without.append(invitee)
    return tuple(further), Invited(number, new, lengthened, sooner, later, tuple(without), beyond_ascii)


def _ascii(organisation: str, key: str, further: Mapping[str, object]) -> bool:
    texts = (value for value in further.values() if isinstance(value, str))
    return all(text.isascii() for text in itertools.chain((organisation, key), further, texts))


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
