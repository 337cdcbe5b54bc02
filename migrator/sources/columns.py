"""The columns of a legacy token (contract: *Input*), and how a file may spell their names."""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

from migrator.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migrator.row_rules import RowRules

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
    "consumer_key",
)
"""Every column that means something to us with some provider; all others are kept as they are."""


def required_columns(rules: RowRules) -> tuple[str, ...]:
    """The columns without which no row of a table can be used."""
    return ("oauth_token", "app_type") if rules.app_types else ("oauth_token",)


def columns_read(rules: RowRules) -> tuple[str, ...]:
    """Those of the known columns that mean something with this provider."""
    of_some = {
        "app_type": bool(rules.app_types),
        "tenant_type": "tenant_type" in rules.columns,
        "oauth_token_secret": rules.token_secret,
        "oauth_session_handle": rules.session_handle,
    }
    return tuple(column for column in KNOWN_COLUMNS if of_some.get(column, True))


def expected(rules: RowRules) -> str:
    """The hint that goes with a table of other columns."""
    required = required_columns(rules)
    names = [*columns_read(rules), *sorted(rules.further_columns)]
    return (
        f"Expected are the columns {', '.join(names)}, in any order; "
        f"{' and '.join(required)} {'are' if len(required) > 1 else 'is'} required."
    )


@lru_cache(maxsize=1024)  # asked for each value of each row
def known_column(name: str) -> str | None:
    """The known column called ``name``, case and surrounding space aside; None for a further one."""
    folded = name.strip().casefold()
    return folded if folded in KNOWN_COLUMNS else None


_PROVIDERS = "xero|garmin|tumblr|vimeo|dropbox|intuit|qbo?|quickbooks|twitter"
_BEFORE = f"(?:{_PROVIDERS}|legacy)?(?:oauth(?:10?a?)?)?(?:access)?"
"""What applications put before their names of columns; in small letters alone, as are those below."""
_EXPIRY = "expir(?:es?|y|ation)(?:at|on|date|time|datetime|timestamp)?(?:utc)?"
_OTHER_NAMES = {
    column: re.compile(_BEFORE + names)
    for column, names in {
        "connection_id": "connection(?:key|uuid|guid)",
        "app_type": "(?:app|application)?type",
        "organisation": "org|(?:organisation|organization|org|company|tenant)name|organization|company",
        "tenant_id": "tenant(?:guid|uuid)?",
        "tenant_type": "tenantkind",
        "contact_email": "(?:contact|user|customer|owner)?e?mail(?:address)?",
        "oauth_token": "token(?:key|value)?",
        "oauth_token_secret": "secret(?:token)?|tokensecret(?:key|value)?|tokenkeysecret",
        "oauth_session_handle": "session|(?:session|token)?handle",
        "oauth_expires_at": f"(?:token)?{_EXPIRY}",
        "consumer_key": "consumer(?:id)?|(?:app|application|api)key",
    }.items()
}
"""What else the columns are called, by people and by the libraries that wrote their tables.

When the session ends (``SessionExpiresAt``), and for how long something lives (``oauth_expires_in``), are
other things; so are a consumer's secret, and a client's key and secret.
"""
_ALIKE = 0.85
"""From which likeness on (difflib's ratio) a name is taken for a slip of the pen."""
_LIFETIME = re.compile("expiresin|expiry(?:in)?seconds|lifetime")


@lru_cache(maxsize=1024)
def _meant(name: str) -> str | None:
    """The known column that a name which is none seems to mean: ``OAuthTokenSecret``, ``token_secret``."""
    if known_column(name):
        return None
    letters = re.sub(r"[^a-z0-9]", "", name.casefold())
    for column, other_names in _OTHER_NAMES.items():
        bare = re.fullmatch(f"{_BEFORE}{column.removeprefix('oauth_').replace('_', '')}", letters)
        if bare or other_names.fullmatch(letters):
            return column
    return None if _LIFETIME.search(letters) else _slip(letters)


def _slip(letters: str) -> str | None:
    """The column that ``letters`` miss by one or two.

    A name that is longer or shorter by more is another: ``organisation_id``.
    """
    plain = {
        column.replace("_", ""): column
        for column in KNOWN_COLUMNS
        if abs(len(column.replace("_", "")) - len(letters)) <= 1
    }
    close = get_close_matches(letters, plain, n=1, cutoff=_ALIKE)
    return plain[close[0]] if close else None


@lru_cache(maxsize=16)  # asked for each row; names may be long
def misnamed(names: tuple[str, ...]) -> Mapping[str, str]:
    """The known columns that ``names`` lack, each with the name among them that seems to mean it.

    Such a name is like ours and so no secret, as any other may be.
    """
    found = {known_column(name) for name in names}
    meant: dict[str, str] = {}
    for name in names:
        column = _meant(name)
        if column is not None and column not in found:
            meant.setdefault(column, name)
    return meant


def alike(column: str, names: Iterable[str]) -> str:
    """A sentence on the name that seems to mean a missing ``column``; empty if none does."""
    name = misnamed(tuple(names)).get(column)
    return looks_like(name, column) if name else ""


def looks_like(name: str, column: str) -> str:
    """What to do about a name that seems to mean ``column``."""
    return f"Its column {name.strip()!r} looks like it: call it {column}."


def likeness(names: Sequence[str]) -> tuple[int, int]:
    """How many names are known columns, and how many others seem to mean one."""
    return sum(1 for name in names if known_column(name)), sum(1 for name in names if _meant(name))


def require_columns(where: str, names: Iterable[str], rules: RowRules) -> None:
    """Raise ``InputError`` if ``names``, found at ``where``, lack what every row needs."""
    names = list(names)
    found = {known_column(name) for name in names}
    missing = [column for column in required_columns(rules) if column not in found]
    if missing:
        # All that are misnamed, so that they can be put right at once.
        read = columns_read(rules)
        meant = [
            looks_like(name, column) for column, name in misnamed(tuple(names)).items() if column in read
        ]
        message = f"{where} has no column {' and no column '.join(missing)}"
        raise InputError(message, hint=" ".join([*meant, expected(rules)]))


def refuse_duplicates(where: str, names: Sequence[str]) -> None:
    """Raise ``InputError`` if ``names``, found at ``where``, mean one column twice."""
    meanings = [known_column(name) or name for name in names]
    for meaning, count in Counter(meanings).items():
        if count > 1:
            places = " and ".join(str(place) for place, other in enumerate(meanings, 1) if other == meaning)
            what = f"the column {meaning}" if known_column(meaning) else "a column"
            message = f"{where} names {what} more than once (columns {places})"
            raise InputError(message, hint="Rename or remove all but one of them.")
