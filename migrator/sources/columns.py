"""The columns of a legacy token (contract: *Input*), and how a file may spell their names."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from migrator.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KNOWN_COLUMNS = (
    "connection_id",
    "app_type",
    "organisation",
    "tenant_id",
    "tenant_type",
    "contact_email",
    "oauth_token",
    "oauth_token_secret",
    "oauth_session_handle",
    "oauth_expires_at",
)
"""Every column that means something to us; all others are kept as they are."""

REQUIRED_COLUMNS = ("oauth_token", "app_type")
"""The columns without which no row of a table can be used."""

EXPECTED = (
    f"Expected are the columns {', '.join(KNOWN_COLUMNS)}, in any order; "
    f"{' and '.join(REQUIRED_COLUMNS)} are required."
)
"""The hint that goes with a table of other columns."""


@lru_cache(maxsize=1024)  # asked for each value of each row
def known_column(name: str) -> str | None:
    """The known column called ``name``, case and surrounding space aside; None for a further one."""
    folded = name.strip().casefold()
    return folded if folded in KNOWN_COLUMNS else None


def require_columns(where: str, names: Iterable[str]) -> None:
    """Raise ``InputError`` if ``names``, found at ``where``, lack what every row needs."""
    found = {known_column(name) for name in names}
    missing = [column for column in REQUIRED_COLUMNS if column not in found]
    if missing:
        raise InputError(f"{where} has no column {' and no column '.join(missing)}", hint=EXPECTED)


def refuse_duplicates(where: str, names: Sequence[str]) -> None:
    """Raise ``InputError`` if ``names``, found at ``where``, mean one column twice."""
    meanings = [known_column(name) or name for name in names]
    for meaning, count in Counter(meanings).items():
        if count > 1:
            places = " and ".join(str(place) for place, other in enumerate(meanings, 1) if other == meaning)
            what = f"the column {meaning}" if known_column(meaning) else "a column"
            message = f"{where} names {what} more than once (columns {places})"
            raise InputError(message, hint="Rename or remove all but one of them.")
