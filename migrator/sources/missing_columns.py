"""The columns that a source lacks, and those of its columns that seem to be meant.

A column under another name is one that we do not read. Where that would cost users their swap, or could not
be mended by reading the file again, nothing of it is taken in; where not, it is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.errors import InputError
from migrator.models import Misnamed
from migrator.sources.columns import (
    columns_read,
    expected,
    known_column,
    looks_like,
    misnamed,
    required_columns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.row_rules import RowRules

_OF_SWAPS_ONLY = frozenset({"oauth_token_secret", "oauth_session_handle", "oauth_expires_at"})
"""What nobody reads of the tokens that are not swapped."""


def decisive(rules: RowRules) -> dict[str, str]:
    """The columns that must not be lacking by mistake, besides those that every row needs, and why.

    When the token ends is none of them: where the file does not say it, the provider is asked.
    """
    reasons = {
        "connection_id": "a connection taken in without its own key cannot be given it later",
        "tenant_type": _without_tenant_type(rules),
        "oauth_token_secret": "tokens without their secret cannot be swapped",
        "oauth_session_handle": "users whose token has expired would have to consent again",
        "consumer_key": "tokens of several applications would all be taken for one's",
    }
    read = columns_read(rules)
    several = len(rules.consumer_keys or ()) > 1
    return {
        column: why
        for column, why in reasons.items()
        if column in read and (several or column != "consumer_key")
    }


def _without_tenant_type(rules: RowRules) -> str:
    column = rules.columns.get("tenant_type")
    return (
        f"every row would be taken for one of {column.default}"
        if column and column.default
        else ("no row can be used")
    )


def misnamed_in(values: Mapping[str, object], rules: RowRules) -> dict[str, str]:
    """The columns that are read and that a row lacks, each with the name under which it seems to have a value
    for it.
    """
    named = misnamed(tuple(values))
    if not named:
        return {}
    swaps, read = _swaps(values, rules), columns_read(rules)
    return {
        column: name
        for column, name in named.items()
        if column in read and _says_something(values[name]) and (swaps or column not in _OF_SWAPS_ONLY)
    }


def _swaps(values: Mapping[str, object], rules: RowRules) -> bool:
    """Whether a row's token is swapped, as far as it says."""
    named = [value for name, value in values.items() if known_column(name) == "app_type"]
    if not (named and rules.app_types):
        return True
    app_type = str(named[0]).strip().casefold()
    return any(swaps for name, swaps in rules.app_types.items() if name.casefold() == app_type)


def _says_something(value: object) -> bool:
    return value is not None and bool(str(value).strip())


class MissingColumns:
    """What the rows of a source lack: a header shows that at once, JSON at its end."""

    def __init__(self, name: str, rules: RowRules) -> None:
        self._name = name
        self._rules = rules
        self._names: tuple[str, ...] | None = None
        self._some_misnamed = False
        self._found: set[str] = set()
        self._misnamed: dict[str, Misnamed] = {}

    def see(self, values: Mapping[str, object]) -> None:
        """One more row."""
        names = tuple(values)
        if names != self._names:  # most rows have those of the one before
            self._names = names
            self._found.update(column for name in names if (column := known_column(name)))
            self._some_misnamed = bool(misnamed(names))
        if not self._some_misnamed:
            return
        for column, name in misnamed_in(values, self._rules).items():
            before = self._misnamed.get(column, Misnamed(self._name, column, name.strip(), 0))
            self._misnamed[column] = Misnamed(self._name, column, before.name, before.rows + 1)

    def told(self) -> Iterator[Misnamed]:
        """The columns under another name, of a source that can be used all the same.

        Raises ``InputError`` if it cannot: if no row had a column without which none can be used, or one that
        must not be lacking by mistake.
        """
        lost = [column for column in self._misnamed if column not in self._found]
        required = required_columns(self._rules)
        missing = [column for column in required if column not in self._found]
        if self._names is not None and missing:
            meant = [looks_like(self._misnamed[column].name, column) for column in lost]
            raise InputError(
                f"{self._name}: no row has the column {' or the column '.join(missing)}",
                hint=" ".join([*meant, expected(self._rules)]),
            )
        reasons = decisive(self._rules)
        if any(column in lost for column in reasons):
            raise self._refusal({column: why for column, why in reasons.items() if column in lost}, lost)
        # The others can be mended by reading the file again; rows that lack what they need are rejected.
        # Whose tokens they are need not be said where there is one application.
        told = [
            each for each in columns_read(self._rules) if each not in (*required, *reasons, "consumer_key")
        ]
        return (self._misnamed[column] for column in told if column in self._misnamed)

    def _refusal(self, reasons: Mapping[str, str], lost: list[str]) -> InputError:
        what = "; ".join(
            f"there is no column {column}, and {self._misnamed[column].name!r} looks like it:"
            f" without it, {why}"
            for column, why in reasons.items()
        )
        return InputError(
            f"{self._name}: {what}",
            hint=" ".join(looks_like(self._misnamed[column].name, column) for column in lost)
            + " If it means something else, give it another name, or add an empty column"
            f" {' and an empty column '.join(reasons)}.",
        )
