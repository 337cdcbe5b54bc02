"""What a source of legacy tokens is to the rest of the house."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.models import Reject


class Row(NamedTuple):
    """One raw row, before anybody asked whether it can be used. Holds secrets in the clear."""

    line: int
    """As in ``Reject.line``."""
    values: Mapping[str, object]
    """Column name to value, both as the file has them: JSON values, and no text that is not UTF-8."""

    def __repr__(self) -> str:
        return f"Row(line={self.line})"


class Source(Protocol):
    """A file, table or stream of legacy tokens, read once and row by row, in bounded memory."""

    @property
    def name(self) -> str:
        """The source as the user named it, for messages and rejects."""

    def rows(self) -> Iterator[Row | Reject]:
        """Each row in order; a row that cannot even be taken apart comes as a ``Reject``.

        Raises ``InputError`` where the file cannot be used at all.
        """
