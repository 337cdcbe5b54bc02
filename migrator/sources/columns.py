"""The columns of a legacy token (contract: *Input*), and how a file may spell their names."""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches
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


_OTHER_NAMES = {
    "token": "oauth_token",
    "accesstoken": "oauth_token",
    "tokenkey": "oauth_token",
    "secret": "oauth_token_secret",
    "tokensecret": "oauth_token_secret",
    "accesstokensecret": "oauth_token_secret",
    "type": "app_type",
    "apptype": "app_type",
    "applicationtype": "app_type",
}
"""What else the columns are called by whose lack rows are lost; in small letters alone."""
_ALIKE = 0.85
"""From which likeness on (difflib's ratio) a name is taken for a slip of the pen."""


@lru_cache(maxsize=1024)
def _meant(name: str) -> str | None:
    """The known column that a name which is none seems to mean: ``OAuthTokenSecret``, ``token_secret``."""
    if known_column(name):
        return None
    letters = re.sub(r"[^a-z0-9]", "", name.casefold())
    if letters in _OTHER_NAMES:
        return _OTHER_NAMES[letters]
    plain = {column.replace("_", ""): column for column in KNOWN_COLUMNS}
    close = get_close_matches(letters, plain, n=1, cutoff=_ALIKE)
    return plain[close[0]] if close else None


def alike(column: str, names: Iterable[str]) -> str:
    """A sentence on the name that seems to mean a missing ``column``; empty if none does.

    It quotes that name, which is like ours and so no secret, and no other.
    """
    for name in names:
        if _meant(name) == column:
            return f"Its column {name.strip()!r} looks like it: call it {column}."
    return ""


def likeness(names: Sequence[str]) -> tuple[int, int]:
    """How many names are known columns, and how many others seem to mean one."""
    return sum(1 for name in names if known_column(name)), sum(1 for name in names if _meant(name))


def require_columns(where: str, names: Iterable[str]) -> None:
    """Raise ``InputError`` if ``names``, found at ``where``, lack what every row needs."""
    names = list(names)
    found = {known_column(name) for name in names}
    missing = [column for column in REQUIRED_COLUMNS if column not in found]
    if missing:
        meant = [sentence for column in missing if (sentence := alike(column, names))]
        raise InputError(
            f"{where} has no column {' and no column '.join(missing)}", hint=" ".join([*meant, EXPECTED])
        )


def refuse_duplicates(where: str, names: Sequence[str]) -> None:
    """Raise ``InputError`` if ``names``, found at ``where``, mean one column twice."""
    meanings = [known_column(name) or name for name in names]
    for meaning, count in Counter(meanings).items():
        if count > 1:
            places = " and ".join(str(place) for place, other in enumerate(meanings, 1) if other == meaning)
            what = f"the column {meaning}" if known_column(meaning) else "a column"
            message = f"{where} names {what} more than once (columns {places})"
            raise InputError(message, hint="Rename or remove all but one of them.")
