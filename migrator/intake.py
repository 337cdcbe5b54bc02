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

from migrator.models import AppType, Connection, LegacyToken, Reject, Secret, TenantType
from migrator.sources import KNOWN_COLUMNS, Row, Source, known_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_LENGTH = 10_000
"""Characters that a known column may have; no token, name or address comes near."""

MILLISECONDS_FROM = 1e11
"""An epoch time from here on is in milliseconds: in seconds it would be past the year 5138."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_NAMES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""An organisation's name may run over lines, and have been through one encoding too many."""
_COMPACT_DATE = re.compile(r"[0-9]{8}")
"""ISO 8601 without dashes; as epoch seconds it would lie before 1974."""

_FIRST_YEAR = 1970
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

    Raises ``InputError`` where a source turns out to be unusable, after the rows that came before.
    """
    for source in sources:
        for row in source.rows():
            read = row if isinstance(row, Reject) else read_row(source.name, row)
            if isinstance(read, Reject):
                yield read
            else:
                accepted = Accepted(source.name, row.line, read)
                yield _repeated(accepted, seen) or accepted


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
    if not text["oauth_token"]:
        raise _UnusableError("missing_token", "The row has no oauth_token.")
    app_type = _choice(AppType, text["app_type"], "app_type")
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
    is_partner = app_type is AppType.PARTNER
    if is_partner and not text["oauth_token_secret"]:
        raise _UnusableError("missing_secret", "The row of a partner application has no oauth_token_secret.")
    handle = text["oauth_session_handle"] if is_partner else ""
    return LegacyToken(
        token=Secret(text["oauth_token"]),
        token_secret=Secret(text["oauth_token_secret"]),
        session_handle=Secret(handle) if handle else None,
        expires_at=expires_at,
    )


def _instant(value: object) -> datetime | None:
    """The time that ``oauth_expires_at`` names, in UTC; None where it is empty."""
    if isinstance(value, float):
        return _from_epoch(value)
    text = _text("oauth_expires_at", value)
    if not text:
        return None
    # Python's float() takes 1_000 too, which is no number elsewhere.
    if not _COMPACT_DATE.fullmatch(text) and "_" not in text:
        try:
            return _from_epoch(float(text))
        except ValueError:
            pass
    return _from_iso(text)


def _from_epoch(seconds: float) -> datetime:
    if not math.isfinite(seconds) or seconds < 0:
        raise _UnusableError("bad_date", "oauth_expires_at is a number, but no time.")
    if seconds >= MILLISECONDS_FROM:
        raise _UnusableError(
            "bad_date", "oauth_expires_at is in milliseconds: divide by 1,000, it is taken in seconds."
        )
    return datetime.fromtimestamp(seconds, UTC)


def _from_iso(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.upper())
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _UnusableError("bad_date", "oauth_expires_at is neither ISO 8601 nor epoch seconds.") from None
    if moment.year < _FIRST_YEAR:
        raise _UnusableError("bad_date", f"oauth_expires_at lies before {_FIRST_YEAR}: no token is that old.")
    return moment
