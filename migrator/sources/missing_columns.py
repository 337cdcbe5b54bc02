"""The columns that a source lacks, and those of its columns that seem to be meant.

A column under another name is one that we do not read. Where that would cost users their swap, or could not
be mended by reading the file again, nothing of it is taken in; where not, it is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.errors import InputError
from migrator.models import AppType, Misnamed
from migrator.sources.columns import (
    EXPECTED,
    KNOWN_COLUMNS,
    REQUIRED_COLUMNS,
    known_column,
    looks_like,
    misnamed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DECISIVE = {
    "connection_id": "a connection taken in without its own key cannot be given it later",
    "tenant_type": "practices would be swapped as organisations",
    "oauth_token_secret": "partner tokens without their secret cannot be swapped",
    "oauth_session_handle": "users whose token has expired would have to consent again",
}
"""The columns that must not be lacking by mistake, besides those that every row needs, and why.

When the token ends is none of them: where the file does not say it, the provider is asked.
"""

_TOLD = tuple(column for column in KNOWN_COLUMNS if column not in (*REQUIRED_COLUMNS, *DECISIVE))
"""The columns that can be mended by reading the file again; rows that lack others are rejected."""
_PARTNERS_ONLY = frozenset({"oauth_token_secret", "oauth_session_handle", "oauth_expires_at"})
"""What nobody reads of the tokens that are not swapped."""


def misnamed_in(values: Mapping[str, object]) -> dict[str, str]:
    """The known columns that a row lacks, each with the name under which it seems to have a value for it."""
    named = misnamed(tuple(values))
    if not named:
        return {}
    app_types = [value for name, value in values.items() if known_column(name) == "app_type"]
    partner = str(app_types[0]).strip().casefold() == AppType.PARTNER.value if app_types else True
    return {
        column: name
        for column, name in named.items()
        if _says_something(values[name]) and (partner or column not in _PARTNERS_ONLY)
    }


def _says_something(value: object) -> bool:
    return value is not None and bool(str(value).strip())


class MissingColumns:
    """What the rows of a source lack: a header shows that at once, JSON at its end."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._names: tuple[str, ...] | None = None
        self._found: set[str] = set()
        self._misnamed: dict[str, Misnamed] = {}

    def see(self, values: Mapping[str, object]) -> None:
        """One more row."""
        names = tuple(values)
        if names != self._names:  # most rows have those of the one before
            self._names = names
            self._found.update(column for name in names if (column := known_column(name)))
        for column, name in misnamed_in(values).items():
            before = self._misnamed.get(column, Misnamed(self._name, column, name.strip(), 0))
            self._misnamed[column] = Misnamed(self._name, column, before.name, before.rows + 1)

    def told(self) -> Iterator[Misnamed]:
        """The columns under another name, of a source that can be used all the same.

        Raises ``InputError`` if it cannot: if no row had a column without which none can be used, or one that
        must not be lacking by mistake.
        """
        lost = [column for column in self._misnamed if column not in self._found]
        missing = [column for column in REQUIRED_COLUMNS if column not in self._found]
        if self._names is not None and missing:
            meant = [looks_like(self._misnamed[column].name, column) for column in lost]
            raise InputError(
                f"{self._name}: no row has the column {' or the column '.join(missing)}",
                hint=" ".join([*meant, EXPECTED]),
            )
        if decisive := [column for column in DECISIVE if column in lost]:
            raise self._refusal(decisive, lost)
        return (self._misnamed[column] for column in _TOLD if column in self._misnamed)

    def _refusal(self, decisive: list[str], lost: list[str]) -> InputError:
        what = "; ".join(
            f"there is no column {column}, and {self._misnamed[column].name!r} looks like it:"
            f" without it, {DECISIVE[column]}"
            for column in decisive
        )
        return InputError(
            f"{self._name}: {what}",
            hint=" ".join(looks_like(self._misnamed[column].name, column) for column in lost)
            + " If it means something else, give it another name, or add an empty column"
            f" {' and an empty column '.join(decisive)}.",
        )
