"""What a row is to the ledger: new, known, or something new of a known connection; and so what a run does.

Reads only. Rows are looked for many at once, and held against what was found one by one: one of them may have
changed what the next one is held against.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from migrator.ledger import legacy_tokens, standings
from migrator.ledger.file.codec import Codec, key_for, material
from migrator.models import NO_REFRESH_TOKEN, RESPONSE_LOST, Connection, Reject, Standing, State
from migrator.rules.next_step import Decision, decision, first_step
from migrator.rules.terms import Terms
from migrator.sources.screening import Accepted


class Novelty(StrEnum):
    """What a row is to the ledger."""

    NEW = "new"
    KNOWN = "known"
    """It says what an earlier row said."""
    CORRECTED = "corrected"
    """It says something new of a known connection."""


@dataclass(frozen=True)
class Recognised:
    """A row, held against the ledger."""

    novelty: Novelty
    standing: Standing | None
    """The known connection, as it stands."""
    new_token: bool = False
    """The row's token, secret or handle is one that the ledger never held."""
    new_terms: bool = False
    """It holds them, but the row says otherwise when they end, or what they open."""


_NEW = Recognised(Novelty.NEW, None)


class Named(NamedTuple):
    """A row with the names under which the ledger has its connection, if it has it."""

    row: Accepted
    token_print: bytes
    key: str


def named(codec: Codec, row: Accepted) -> Named:
    """A row with its names."""
    token_print = codec.token_print(row.connection.legacy)
    return Named(row, token_print, key_for(row.connection, token_print))


class Known(NamedTuple):
    """A known connection, and what names all that its row said."""

    standing: Standing
    row_print: bytes


@dataclass(frozen=True)
class Matches:
    """The connections that have some rows' names, as they stood when they were looked for."""

    by_token: Mapping[bytes, int]
    """A token's print to the connection that has, or had, the token."""
    by_key: Mapping[str, int]
    known: dict[int, Known]

    def known_as(self, db: sqlite3.Connection, codec: Codec, connection_id: int) -> Known:
        """One of the connections, as it stands now."""
        if connection_id not in self.known:
            self.known.update(_known(db, codec, [connection_id]))
        return self.known[connection_id]

    def forget(self, connection_id: int) -> None:
        """A connection is no longer as it was."""
        del self.known[connection_id]


NO_MATCHES = Matches({}, {}, {})


def look_for(db: sqlite3.Connection, codec: Codec, rows: Sequence[Named]) -> Matches:
    """Find the connections that have the names of some rows, at most some thousands."""
    marks = ", ".join("?" * len(rows))
    by_token = dict(
        db.execute(
            f"SELECT token_print, connection_id FROM legacy_tokens WHERE token_print IN ({marks})",  # noqa: S608
            [row.token_print for row in rows],
        )
    )
    by_key = dict(
        db.execute(
            f"SELECT key, id FROM connections WHERE key IN ({marks})",  # noqa: S608
            [row.key for row in rows],
        )
    )
    return Matches(by_token, by_key, _known(db, codec, [*{*by_token.values(), *by_key.values()}]))


def _known(db: sqlite3.Connection, codec: Codec, connection_ids: Sequence[int]) -> dict[int, Known]:
    if not connection_ids:
        return {}
    prints = dict(
        db.execute(
            f"SELECT id, row_print FROM connections WHERE id IN ({', '.join('?' * len(connection_ids))})",  # noqa: S608
            connection_ids,
        )
    )
    return {
        standing.id: Known(standing, prints[standing.id])
        for standing in standings.standings(db, codec, connection_ids)
    }


def hold_against(
    db: sqlite3.Connection, codec: Codec, named_row: Named, found: Matches
) -> Recognised | Reject:
    """Hold a row against what was found."""
    row, token_print, key = named_row
    by_token = found.by_token.get(token_print)
    by_key = found.by_key.get(key)
    if by_token is not None and by_key is None and row.connection.key is None:
        by_key = by_token  # it came with a key of its own before; the token still says who it is
    if by_token is not None and by_token != by_key:
        detail = "another connection in the ledger has this oauth_token"
        return Reject(row.source, row.line, "duplicate_token", detail)
    if by_key is None:
        return _NEW
    return _of_known(db, codec, row.connection, found.known_as(db, codec, by_key))


def plan_row(row: Accepted, recognised: Recognised, terms: Terms, now: datetime) -> Decision:
    """What a run does with a row."""
    standing = recognised.standing
    if standing is None or starts_anew(recognised, terms):
        return first_step(row.connection.app_type, row.connection.legacy, terms, now)
    return decision(standing, terms, now)


def starts_anew(recognised: Recognised, terms: Terms) -> bool:
    """Whether a corrected row changes what must happen.

    A pair in hand, or a call in doubt, is never planned away; nor is a token used again that serves once.
    """
    standing = recognised.standing
    if standing is None or standing.state in (State.MIGRATED, State.UNCERTAIN, State.IN_FLIGHT):
        return False
    if standing.reason in (RESPONSE_LOST, NO_REFRESH_TOKEN) and not terms.asks_again:
        return recognised.new_token
    return recognised.new_token or recognised.new_terms


def _of_known(db: sqlite3.Connection, codec: Codec, connection: Connection, known: Known) -> Recognised:
    standing, row_print = known
    if codec.is_print_of(row_print, connection):
        return Recognised(Novelty.KNOWN, standing)
    new_token = not legacy_tokens.was_held(db, codec, standing.id, connection.legacy)
    now_held = material(standing.legacy) == material(connection.legacy)
    new_terms = now_held and (
        standing.legacy.expires_at != connection.legacy.expires_at
        or standing.app_type != connection.app_type
        or standing.tenant_type != connection.tenant_type
        or standing.consumer_key != connection.consumer_key
    )
    return Recognised(Novelty.CORRECTED, standing, new_token=new_token, new_terms=new_terms)
