"""From raw rows to connections: which rows cannot be used, and which were met before.

Pure but for ``Seen``, which is passed in. Every row ends as exactly one ``Connection`` or ``Reject``, and no
detail quotes a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from migrator.models import Connection, Misnamed, Reject
from migrator.row_rules import RowRules
from migrator.sources.interface import Source
from migrator.sources.known_cells import MAX_LENGTH
from migrator.sources.missing_columns import MissingColumns
from migrator.sources.row_reader import RowReader, read_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MAX_LENGTH", "Accepted", "Seen", "read_row", "screen"]


@dataclass(frozen=True)
class Accepted:
    """A row that can be used, and where it stands."""

    source: str
    """As in ``Reject.source``."""
    line: int
    """As in ``Reject.line``."""
    connection: Connection


class Seen(Protocol):
    """Remembers which tokens and connection ids were met: any number of them, and none in the clear.

    ``kind`` is ``token`` or ``connection_id``; a value of one kind says nothing of the other. ``place`` is
    ``file:line``.
    """

    def met(self, kind: str, value: str) -> str | None:
        """Where ``value`` was met before, or None. Remembers nothing."""

    def first(self, kind: str, value: str, place: str) -> str | None:
        """Where ``value`` was met before; if nowhere, remember that it was at ``place``, and return None."""


def screen(sources: Iterable[Source], seen: Seen, rules: RowRules) -> Iterator[Accepted | Reject | Misnamed]:
    """Every row of the sources in order, as what can be used or why it cannot; after each source, what is to
    be told of its columns.

    Raises ``InputError`` where a source turns out to be unusable, after the rows that came before: at its
    end, if its rows lack columns as ``MissingColumns`` says.
    """
    reader = RowReader(rules)
    for source in sources:
        lacking = MissingColumns(source.name, rules)
        for row in source.rows():
            if isinstance(row, Reject):
                yield row
                continue
            lacking.see(row.values)
            read = reader.read(source.name, row)
            if isinstance(read, Reject):
                yield read
            else:
                accepted = Accepted(source.name, row.line, read)
                yield _repeated(accepted, seen) or accepted
        yield from lacking.told()


def _repeated(accepted: Accepted, seen: Seen) -> Reject | None:
    """The reject, if the row's token or key was met before.

    Neither is remembered of a row that is rejected: the next row with the other one may be the right one. A
    token is one connection's whatever its application: a provider issues none twice, so that one under two
    consumer keys is a slip, and with one of them it cannot be right.
    """
    place = f"{accepted.source}:{accepted.line}"
    token = accepted.connection.legacy.token.reveal()
    key = accepted.connection.key
    if earlier := seen.met("token", token):
        reason, column = "duplicate_token", "oauth_token"
    elif key and (earlier := seen.first("connection_id", key, place)):
        reason, column = "duplicate_connection_id", "connection_id"
    else:
        seen.first("token", token, place)
        return None
    return Reject(accepted.source, accepted.line, reason, f"The same {column} stands in {earlier} already.")
