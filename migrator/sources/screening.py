"""From raw rows to connections: what the columns mean, which rows cannot be used, and which were met before.

Pure but for ``Seen``, which is passed in. Every row ends as exactly one ``Connection`` or ``Reject``, and no
detail quotes a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from migrator.models import AppType, Connection, LegacyToken, Misnamed, Reject, Secret, TenantType
from migrator.sources.columns import KNOWN_COLUMNS, alike, known_column
from migrator.sources.damaged_cells import is_damaged
from migrator.sources.expiry_time import instant
from migrator.sources.interface import Row, Source
from migrator.sources.missing_columns import DECISIVE, MissingColumns, misnamed_in
from migrator.sources.unreadable_row import UnusableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

MAX_LENGTH = 10_000
"""Characters that a known column may have; no token, name or address comes near."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_NAMES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""An organisation's name may run over lines, and have been through one encoding too many."""
_IDENTIFYING = (
    "connection_id",
    "oauth_token",
    "oauth_token_secret",
    "oauth_session_handle",
    "tenant_id",
)
"""Columns whose value must be whole to be of use."""
_KEYS = frozenset({"connection_id", "tenant_id"})
"""Those of them that may be a code of a few characters."""
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


def screen(sources: Iterable[Source], seen: Seen) -> Iterator[Accepted | Reject | Misnamed]:
    """Every row of the sources in order, as what can be used or why it cannot; after each source, what is to
    be told of its columns.

    Raises ``InputError`` where a source turns out to be unusable, after the rows that came before: at its
    end, if its rows lack columns as ``MissingColumns`` says.
    """
    for source in sources:
        lacking = MissingColumns(source.name)
        for row in source.rows():
            if isinstance(row, Reject):
                yield row
                continue
            lacking.see(row.values)
            read = read_row(source.name, row)
            if isinstance(read, Reject):
                yield read
            else:
                accepted = Accepted(source.name, row.line, read)
                yield _repeated(accepted, seen) or accepted
        yield from lacking.told()


def read_row(source_name: str, row: Row) -> Connection | Reject:
    """The connection that a row describes, or why it cannot be used."""
    try:
        return _connection(row.values)
    except UnusableError as unusable:
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


def _connection(values: Mapping[str, object]) -> Connection:
    known, further = _parted(values)
    text = {column: _text(column, known.get(column)) for column in _TEXT_COLUMNS}
    for column in _IDENTIFYING:
        _refuse_damaged(column, text[column])
    app_type = _require(text, values)
    return Connection(
        key=text["connection_id"] or None,
        app_type=app_type,
        legacy=_legacy(app_type, text, _expires_at(known.get("oauth_expires_at"))),
        organisation=text["organisation"],
        tenant_id=text["tenant_id"],
        tenant_type=_choice(TenantType, text["tenant_type"] or TenantType.ORGANISATION, "tenant_type"),
        contact_email=text["contact_email"],
        further=further,
    )


def _require(text: Mapping[str, str], values: Mapping[str, object]) -> AppType:
    """The app type of a row that has all that it needs, under the names that we read."""
    if not text["oauth_token"]:
        raise UnusableError("missing_token", _lacking("The row has no oauth_token.", "oauth_token", values))
    if not text["app_type"] and (meant := alike("app_type", values)):
        raise UnusableError("unknown_app_type", f"The row has no app_type. {meant}")
    app_type = _choice(AppType, text["app_type"], "app_type")
    if app_type is AppType.PARTNER and not text["oauth_token_secret"]:
        lacks = "The row of a partner application has no oauth_token_secret."
        raise UnusableError("missing_secret", _lacking(lacks, "oauth_token_secret", values))
    for column in misnamed_in(values):
        if column in DECISIVE:
            detail = _lacking(f"The row has no {column}.", column, values)
            raise UnusableError("misnamed_column", f"{detail} Without it, {DECISIVE[column]}.")
    return app_type


def _refuse_damaged(column: str, text: str) -> None:
    if is_damaged(text, may_be_short=column in _KEYS):
        what = "is a number that a spreadsheet has shortened, or one of its error values."
        raise UnusableError("damaged_cell", f"{column} {what} {_AS_TEXT}")


def _lacking(sentence: str, column: str, names: Iterable[str]) -> str:
    """The sentence, with the name of the row's column that seems to be meant."""
    return f"{sentence} {meant}" if (meant := alike(column, names)) else sentence


def _parted(values: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The columns that we know, by our names, and the others as they are."""
    known: dict[str, object] = {}
    further: dict[str, object] = {}
    for name, value in values.items():
        column = known_column(name)
        if column is None:
            further[name] = value
        elif column in known:
            raise UnusableError("bad_row", f"The row has the column {column} more than once.")
        else:
            known[column] = value
    return known, further


def _text(column: str, value: object) -> str:
    """The text of a known column, trimmed, or empty. In JSON and in tables, keys are often numbers."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UnusableError("bad_value", f"{column} is neither text nor a whole number.")
    text = str(value).strip()
    if len(text) > MAX_LENGTH:
        raise UnusableError("bad_value", f"{column} has more than {MAX_LENGTH:,} characters.")
    if (_CONTROL_IN_NAMES if column == "organisation" else _CONTROL).search(text):
        raise UnusableError("bad_value", f"{column} holds a control character or a line break.")
    return text


def _choice(choices: type[_Choice], text: str, column: str) -> _Choice:
    """The member that ``text`` names, in whatever case."""
    folded = text.casefold()
    for choice in choices:
        if choice.value.casefold() == folded:
            return choice
    what = f"is none of {', '.join(choices)}" if text else f"is empty; it is one of {', '.join(choices)}"
    raise UnusableError(f"unknown_{column}", f"{column} {what}.")


def _legacy(app_type: AppType, text: Mapping[str, str], expires_at: datetime | None) -> LegacyToken:
    """The token. Only a partner application's is swapped: it needs a secret, and may have a handle."""
    handle = text["oauth_session_handle"] if app_type is AppType.PARTNER else ""
    return LegacyToken(
        token=Secret(text["oauth_token"]),
        token_secret=Secret(text["oauth_token_secret"]),
        session_handle=Secret(handle) if handle else None,
        expires_at=expires_at,
    )


def _expires_at(value: object) -> datetime | None:
    if isinstance(value, float):
        return instant(value)
    text = _text("oauth_expires_at", value)
    _refuse_damaged("oauth_expires_at", text)
    return instant(text)
