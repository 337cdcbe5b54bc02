"""From raw rows to connections: which rows cannot be used, and which were met before.

Pure but for ``Seen``, which is passed in. Every row ends as exactly one ``Connection`` or ``Reject``, and no
detail quotes a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from migrator.models import Connection, Misnamed, Reject
from migrator.row_rules import RowRules
from migrator.sources.interface import Source
from migrator.sources.known_cells import MAX_LENGTH
from migrator.sources.missing_columns import MissingColumns
from migrator.sources.row_reader import RowReader, read_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MAX_LENGTH", "Accepted", "Repeated", "Seen", "read_row", "screen"]


class Accepted(NamedTuple):
    """A row that can be used, and where it stands."""

    source: str
    """As in ``Reject.source``."""
    line: int
    """As in ``Reject.line``."""
    connection: Connection


class Repeated(NamedTuple):
    """What of a row was met before, and where."""

    column: str
    place: str
    """``file:line``."""


class Seen(Protocol):
    """Remembers which tokens and connection ids were met: any number of them, and none in the clear."""

    def repeated(self, token: str, key: str, source: str, line: int) -> Repeated | None:
        """What of a row was met before, its token or else its connection id; an empty ``key`` is none.

        If neither was, both are remembered as the row's at this line. A token says nothing of a connection
        id, nor a connection id of a token.
        """


def screen(sources: Iterable[Source], seen: Seen, rules: RowRules) -> Iterator[Accepted | Reject | Misnamed]:
    """Every row of the sources in order, as what can be used or why it cannot; after each source, what is to
    be told of its columns.

    Raises ``InputError`` where a source turns out to be unusable, after the rows that came before: at its
    end, if its rows lack columns as ``MissingColumns`` says.
    """
    reader = RowReader(rules)
    for source in sources:
        name = source.name
        lacking = MissingColumns(name, rules)
        for row in source.rows():
            if isinstance(row, Reject):
                yield row
                continue
            lacking.see(row.values)
            read = reader.read(name, row)
            if isinstance(read, Reject):
                yield read
            else:
                accepted = Accepted(name, row.line, read)
                yield _repeated(accepted, seen) or accepted
        yield from lacking.told()


def _repeated(accepted: Accepted, seen: Seen) -> Reject | None:
    """The reject, if the row's token or key was met before.

    Neither is remembered of a row that is rejected: the next row with the other one may be the right one. A
    token is one connection's whatever its application: a provider issues none twice, so that one under two
    consumer keys is a slip, and with one of them it cannot be right.
    """
    connection = accepted.connection
    repeated = seen.repeated(
        connection.legacy.token.reveal(), connection.key or "", accepted.source, accepted.line
    )
    if repeated is None:
        return None
    column, place = repeated
    return Reject(
        accepted.source,
        accepted.line,
        f"duplicate_{column.removeprefix('oauth_')}",
        f"The same {column} stands in {place} already.",
    )
