"""From raw rows to connections: what the columns mean, which rows cannot be used, and which were met before.

Pure but for ``Seen``, which is passed in. Every row ends as exactly one ``Connection`` or ``Reject``, and no
detail quotes a value.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from migrator.errors import InputError
from migrator.models import AppType, Connection, LegacyToken, Reject, Secret, TenantType
from migrator.sources.columns import EXPECTED, KNOWN_COLUMNS, REQUIRED_COLUMNS, alike, known_column
from migrator.sources.damaged_cells import is_damaged
from migrator.sources.interface import Row, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_LENGTH = 10_000
"""Characters that a known column may have; no token, name or address comes near."""

MILLISECONDS_FROM = 1e11
"""An epoch time from here on is in milliseconds: in seconds it would be past the year 5138."""

EARLIEST = datetime(2009, 6, 24, tzinfo=UTC)
"""OAuth Core 1.0 Revision A, of which RFC 5849 is the edited form: no token is older."""
LATEST = datetime(2060, 1, 1, tzinfo=UTC)
"""Decades ahead: a token that is said to end from here on has no end that anybody knows."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_NAMES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""An organisation's name may run over lines, and have been through one encoding too many."""
_COMPACT = re.compile(r"([0-9]{8})([0-9]{4}(?:[0-9]{2})?)?")
"""A date without dashes, alone or with a time without colons; as a number it would be no time of a token."""
_IDENTIFYING = (
    "connection_id",
    "oauth_token",
    "oauth_token_secret",
    "oauth_session_handle",
    "tenant_id",
)
"""Columns whose value must be whole to be of use."""
_AS_TEXT = "Format the column as text, and export the file again."

_TEXT_COLUMNS = tuple(column for column in KNOWN_COLUMNS if column != "oauth_expires_at")

_Choice = TypeVar("_Choice", bound=StrEnum)


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


def screen(sources: Iterable[Source], seen: Seen) -> Iterator[Accepted | Reject]:
    """Every row of the sources in order, as what can be used or why it cannot.

    Raises ``InputError`` where a source turns out to be unusable, after the rows that came before: at its
    end, if none of its rows has a column without which none can be used.
    """
    for source in sources:
        lacking = _Lacking()
        for row in source.rows():
            read = row if isinstance(row, Reject) else read_row(source.name, row)
            if isinstance(row, Row):
                lacking.see(row, read)
            if isinstance(read, Reject):
                yield read
            else:
                accepted = Accepted(source.name, row.line, read)
                yield _repeated(accepted, seen) or accepted
        lacking.refuse(source.name)


class _Lacking:
    """Whether all rows of a source lack a required column: a header shows that at once, JSON at its end."""

    def __init__(self) -> None:
        self._columns: set[str] = set()
        self._meant: dict[str, str] = {}
        self._begun = False

    def see(self, row: Row, read: Connection | Reject) -> None:
        """One more row."""
        if not self._begun:
            self._begun, self._columns = True, set(REQUIRED_COLUMNS)
        if not isinstance(read, Reject):
            self._columns.clear()
        if self._columns:
            self._columns -= {column for name in row.values if (column := known_column(name))}
            for column in self._columns:
                if meant := alike(column, row.values):
                    self._meant.setdefault(column, meant)

    def refuse(self, name: str) -> None:
        """Raise ``InputError`` if no row had such a column."""
        missing = [column for column in REQUIRED_COLUMNS if column in self._columns]
        if missing:
            meant = [self._meant[column] for column in missing if column in self._meant]
            raise InputError(
                f"{name}: no row has the column {' or the column '.join(missing)}",
                hint=" ".join([*meant, EXPECTED]),
            )


def read_row(source_name: str, row: Row) -> Connection | Reject:
    """The connection that a row describes, or why it cannot be used."""
    try:
        return _connection(row.values)
    except _UnusableError as unusable:
        return Reject(source_name, row.line, unusable.reason, unusable.detail)


def _repeated(accepted: Accepted, seen: Seen) -> Reject | None:
    """The reject, if the row's token or key was met before.

    Neither is remembered of a row that is rejected: the next row with the other one may be the right one.
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


class _UnusableError(Exception):
    """A row cannot be used."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def _connection(values: Mapping[str, object]) -> Connection:
    known, further = _parted(values)
    text = {column: _text(column, known.get(column)) for column in _TEXT_COLUMNS}
    for column in _IDENTIFYING:
        if is_damaged(text[column]):
            raise _UnusableError("damaged_cell", f"{column} {_SHORTENED} {_AS_TEXT}")
    if not text["oauth_token"]:
        raise _UnusableError("missing_token", _lacking("The row has no oauth_token.", "oauth_token", further))
    app_type = _choice(AppType, text["app_type"], "app_type")
    if app_type is AppType.PARTNER and not text["oauth_token_secret"]:
        lacks = "The row of a partner application has no oauth_token_secret."
        raise _UnusableError("missing_secret", _lacking(lacks, "oauth_token_secret", further))
    return Connection(
        key=text["connection_id"] or None,
        app_type=app_type,
        legacy=_legacy(app_type, text, _instant(known.get("oauth_expires_at"))),
        organisation=text["organisation"],
        tenant_id=text["tenant_id"],
        tenant_type=_choice(TenantType, text["tenant_type"] or TenantType.ORGANISATION, "tenant_type"),
        contact_email=text["contact_email"],
        further=further,
    )


_SHORTENED = "is a number that a spreadsheet has shortened, or one of its error values."


def _lacking(sentence: str, column: str, further: Mapping[str, object]) -> str:
    """The sentence, with the name of the row's column that seems to be meant."""
    return f"{sentence} {meant}" if (meant := alike(column, further)) else sentence


def _parted(values: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The columns that we know, by our names, and the others as they are."""
    known: dict[str, object] = {}
    further: dict[str, object] = {}
    for name, value in values.items():
        column = known_column(name)
        if column is None:
            further[name] = value
        elif column in known:
            raise _UnusableError("bad_row", f"The row has the column {column} more than once.")
        else:
            known[column] = value
    return known, further


def _text(column: str, value: object) -> str:
    """The text of a known column, trimmed, or empty. In JSON and in tables, keys are often numbers."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _UnusableError("bad_value", f"{column} is neither text nor a whole number.")
    text = str(value).strip()
    if len(text) > MAX_LENGTH:
        raise _UnusableError("bad_value", f"{column} has more than {MAX_LENGTH:,} characters.")
    if (_CONTROL_IN_NAMES if column == "organisation" else _CONTROL).search(text):
        raise _UnusableError("bad_value", f"{column} holds a control character or a line break.")
    return text


def _choice(choices: type[_Choice], text: str, column: str) -> _Choice:
    """The member that ``text`` names, in whatever case."""
    folded = text.casefold()
    for choice in choices:
        if choice.value.casefold() == folded:
            return choice
    what = f"is none of {', '.join(choices)}" if text else f"is empty; it is one of {', '.join(choices)}"
    raise _UnusableError(f"unknown_{column}", f"{column} {what}.")


def _legacy(app_type: AppType, text: Mapping[str, str], expires_at: datetime | None) -> LegacyToken:
    """The token. Only a partner application's is swapped: it needs a secret, and may have a handle."""
    handle = text["oauth_session_handle"] if app_type is AppType.PARTNER else ""
    return LegacyToken(
        token=Secret(text["oauth_token"]),
        token_secret=Secret(text["oauth_token_secret"]),
        session_handle=Secret(handle) if handle else None,
        expires_at=expires_at,
    )


def _instant(value: object) -> datetime | None:
    """The time that ``oauth_expires_at`` names, in UTC; None where it is empty, or PostgreSQL's ``infinity``.

    Whatever its notation, it must be a time at which a token can end.
    """
    if isinstance(value, float):
        return _possible(_from_epoch(value))
    text = _text("oauth_expires_at", value)
    if not text or text.casefold() == "infinity":
        return None
    if is_damaged(text):
        raise _UnusableError("damaged_cell", f"oauth_expires_at {_SHORTENED} {_AS_TEXT}")
    compact = _COMPACT.fullmatch(text)
    if compact:
        return _possible(_from_iso("T".join(filter(None, compact.groups()))))
    # Python's float() takes 1_000 too, which is no number elsewhere.
    try:
        seconds = float(text) if "_" not in text else None
    except ValueError:
        seconds = None
    return _possible(_from_iso(text) if seconds is None else _from_epoch(seconds))


def _possible(moment: datetime) -> datetime:
    """The time, if a token can end then."""
    if moment < EARLIEST:
        raise _UnusableError(
            "impossible_date",
            f"oauth_expires_at lies before {EARLIEST:%Y-%m-%d}, when OAuth 1.0a came: no token is that old."
            " Has a spreadsheet made a number of its own of it?",
        )
    if moment >= LATEST:
        raise _UnusableError(
            "impossible_date",
            f"oauth_expires_at lies in {LATEST.year} or later: no token lives that long."
            " Leave it empty where it is not known.",
        )
    return moment


def _from_epoch(seconds: float) -> datetime:
    if not math.isfinite(seconds) or seconds < 0:
        raise _UnusableError("bad_date", "oauth_expires_at is a number, but no time.")
    if seconds >= MILLISECONDS_FROM:
        raise _UnusableError(
            "bad_date", "oauth_expires_at is taken in seconds: divide milliseconds by 1,000."
        )
    return datetime.fromtimestamp(seconds, UTC)


def _from_iso(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.upper())
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _UnusableError("bad_date", "oauth_expires_at is neither ISO 8601 nor epoch seconds.") from None
