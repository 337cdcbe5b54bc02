"""When a token ends, in the notations of databases, spreadsheets, programs and people."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from migrator.sources.unreadable_row import UnusableError

MILLISECONDS_FROM = 1e11
"""An epoch time from here on is in milliseconds: in seconds it would be past the year 5138."""

EARLIEST = datetime(2009, 6, 24, tzinfo=UTC)
"""OAuth Core 1.0 Revision A, of which RFC 5849 is the edited form: no token is older."""
LATEST = datetime(2046, 1, 1, tzinfo=UTC)
"""Decades ahead: a token that is said to end from here on has no end that anybody knows.

It is fixed, and not counted from today, so that a file means the same on every day.
"""

_FRACTION = r"(?:[.,][0-9]+)?"
_ZONE = r"(?:\ ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?))?"
_SPACE_BEFORE_ZONE = re.compile(r" (?=[ZU+-])")
_ISO = re.compile(
    rf"""(?: [0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}} | [0-9]{{8}} | [0-9]{{4}}-?W[0-9]{{2}}(?:-?[0-9])? )
         (?: [T ] [0-9]{{2}} (?: :?[0-9]{{2}} (?: :?[0-9]{{2}}{_FRACTION} )? )? {_ZONE} )?""",
    re.VERBOSE,
)
"""ISO 8601, which has nothing but a T (or a space) between date and time, and a zone only after a time.

Python's own parser takes whatever stands there for what parts them: of ``20261127100000Z`` a digit, of
``2026-11-27+13:00`` the sign.
"""
_COMPACT = re.compile(rf"([0-9]{{8}})([0-9]{{4}}(?:[0-9]{{2}}{_FRACTION})?{_ZONE})", re.VERBOSE)
"""Date and time in one row of digits; as a number it would be no time of a token.

Without minutes, it would be ten digits, as seconds of the epoch are.
"""


def instant(value: str | float) -> datetime | None:
    """The time that ``oauth_expires_at`` names, in UTC; None where it is empty, or PostgreSQL's ``infinity``.

    Whatever its notation, it must be a time at which a token can end. Raises ``UnusableError``.
    """
    if isinstance(value, float):
        return _possible(_from_epoch(value))
    text = value.strip().upper()
    if text in ("", "INFINITY"):
        return None
    if text == "-INFINITY":
        raise UnusableError(
            "impossible_date",
            "oauth_expires_at lies before all time (-infinity). Leave it empty where it is not known.",
        )
    if _ISO.fullmatch(text):
        return _possible(_from_iso(text))
    if compact := _COMPACT.fullmatch(text):
        return _possible(_from_iso("T".join(compact.groups())))
    return _possible(_from_epoch(_number(text)))


def _number(text: str) -> float:
    # Python's float() takes 1_000 too, which is no number elsewhere.
    try:
        return float(text.replace("_", "no number"))
    except ValueError:
        raise _no_notation() from None


def _from_epoch(seconds: float) -> datetime:
    if not math.isfinite(seconds):
        raise UnusableError(
            "bad_date",
            "oauth_expires_at is no finite number, and no time. Leave it empty where it is not known.",
        )
    if seconds < 0:
        raise UnusableError("bad_date", "oauth_expires_at is a negative number, and no time.")
    if seconds >= MILLISECONDS_FROM:
        raise UnusableError("bad_date", "oauth_expires_at is taken in seconds: divide milliseconds by 1,000.")
    return datetime.fromtimestamp(seconds, UTC)


def _from_iso(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_SPACE_BEFORE_ZONE.sub("", text).replace("UTC", "Z"))
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _no_notation() from None


def _no_notation() -> UnusableError:
    return UnusableError("bad_date", "oauth_expires_at is neither ISO 8601 nor epoch seconds.")


def _possible(moment: datetime) -> datetime:
    """The time, if a token can end then."""
    if moment < EARLIEST:
        raise UnusableError(
            "impossible_date",
            f"oauth_expires_at lies before {EARLIEST:%Y-%m-%d}, when OAuth 1.0a came: no token is that old."
            " Has a spreadsheet made a number of its own of it?",
        )
    if moment >= LATEST:
        raise UnusableError(
            "impossible_date",
            f"oauth_expires_at lies in {LATEST.year} or later: no token lives that long."
            " Leave it empty where the end is not known, or never comes.",
        )
    return moment
