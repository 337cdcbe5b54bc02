"""How a row of a CSV file looks: what tells rows that a stray pair of quotation marks has made one of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from migrator.sources.columns import known_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.row_rules import RowRules

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class RowShape:
    """How a row of the file looks, to tell one that a stray pair of quotation marks has put into a cell.

    Such a pair makes one record of several rows, which has as many cells as the header where both marks
    stand in the same column: nothing else is wrong with it.
    """

    delimiter: str
    columns: int
    token: int
    """Place of this column."""
    app_type: int
    """And of this one, if the provider has application types."""
    app_types: frozenset[str]
    """In small letters; empty if it has none."""

    @classmethod
    def of(cls, delimiter: str, columns: Sequence[str], rules: RowRules) -> RowShape:
        """The shape that a header promises."""
        meanings = [known_column(column) for column in columns]
        app_types = frozenset(app_type.casefold() for app_type in rules.app_types)
        app_type = meanings.index("app_type") if rules.app_types else 0
        return cls(delimiter, len(columns), meanings.index("oauth_token"), app_type, app_types)

    def is_row(self, line: str) -> bool:
        """Whether a physical line has an app type and a token in their places; a record has one of those.

        Without app types it is one that has all its cells, and a token in its place.
        """
        parts = line.split(self.delimiter)
        fewest = max(self.app_type, self.token) + 1 if self.app_types else self.columns
        if len(parts) < fewest or not parts[self.token].strip('" \r\n'):
            return False
        return not self.app_types or self._is_app_type(parts[self.app_type])

    def has_app_type(self, line: str) -> bool:
        """Whether any part of a physical line is an application type."""
        return any(map(self._is_app_type, line.split(self.delimiter)))

    def holds_row(self, cells: Sequence[str]) -> bool:
        """Whether a cell holds, from one line to the next, the delimiters of a row.

        The rest of one row and the beginning of the next have as many together, wherever they are parted;
        and what comes last in the cell is as much of a row as stands before the cell.
        """
        fewest = self.columns - 1
        for place, cell in enumerate(cells):
            if cell.count(self.delimiter) >= fewest:
                counts = [line.count(self.delimiter) for line in _LINE_END.split(cell)]
                if counts[-1] == place and any(one + other >= fewest for one, other in pairwise(counts)):
                    return True
        return False

    def _is_app_type(self, part: str) -> bool:
        return part.strip('" \r\n').casefold() in self.app_types
