"""From raw rows to connections: what the columns mean, which rows cannot be used, and which were met before.

Pure but for ``Seen``, which is passed in. Every row ends as exactly one ``Connection`` or ``Reject``, and no
detail quotes a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from migrator.models import (
    Connection,
    LegacyToken,
    Misnamed,
    Reject,
    Secret,
)
from migrator.row_rules import RowRules
from migrator.sources.columns import KNOWN_COLUMNS, alike, known_column
from migrator.sources.damaged_cells import is_damaged
from migrator.sources.expiry_time import instant
from migrator.sources.interface import Row, Source
from migrator.sources.missing_columns import MissingColumns, decisive, misnamed_in
from migrator.sources.unreadable_row import UnusableError
from migrator.sources.used_columns import one_of, value_of

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


def screen(sources: Iterable[Source], seen: Seen, rules: RowRules) -> Iterator[Accepted | Reject | Misnamed]:
    """Every row of the sources in order, as what can be used or why it cannot; after each source, what is to
    be told of its columns.

    Raises ``InputError`` where a source turns out to be unusable, after the rows that came before: at its
    end, if its rows lack columns as ``MissingColumns`` says.
    """
    for source in sources:
        lacking = MissingColumns(source.name, rules)
        for row in source.rows():
            if isinstance(row, Reject):
                yield row
                continue
            lacking.see(row.values)
            read = read_row(source.name, row, rules)
            if isinstance(read, Reject):
                yield read
            else:
                accepted = Accepted(source.name, row.line, read)
                yield _repeated(accepted, seen) or accepted
        yield from lacking.told()


def read_row(source_name: str, row: Row, rules: RowRules) -> Connection | Reject:
    """The connection that a row describes, or why it cannot be used."""
    try:
        return _connection(row.values, rules)
    except UnusableError as unusable:
        return Reject(source_name, row.line, unusable.reason, unusable.detail)


def _repeated(accepted: Accepted, seen: Seen) -> Reject | None:
    """The reject, if the row's token or key was met before.

    Neither is remembered of a row that is rejected: the next row with the other one may be the right one. A
    token is one connection's whatever its application: a provider issues none twice, so that one under two
    consumer keys is a slip, and with one of them it cannot be right.
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


def _connection(values: Mapping[str, object], rules: RowRules) -> Connection:
    known, further = _parted(values)
    text = {column: _text(column, known.get(column)) for column in _TEXT_COLUMNS}
    for column in _IDENTIFYING:
        _refuse_damaged(column, text[column])
    app_type = _app_type(text, values, rules)
    swaps = rules.app_types.get(app_type, True)
    _require(text, values, rules, swaps=swaps)
    if rules.consumer_keys is None and text["consumer_key"]:
        further["consumer_key"] = text.pop("consumer_key")  # of nobody's use: kept, and not in the clear
    return Connection(
        key=text["connection_id"] or None,
        app_type=app_type,
        legacy=_legacy(text, _expires_at(known.get("oauth_expires_at")), rules, swaps=swaps),
        organisation=text["organisation"],
        tenant_id=text["tenant_id"],
        tenant_type=_tenant_type(text["tenant_type"], rules),
        contact_email=text["contact_email"],
        consumer_key=_consumer_key(text.get("consumer_key", ""), rules),
        further=_with_used(further, rules),
    )


def _app_type(text: Mapping[str, str], values: Mapping[str, object], rules: RowRules) -> str:
    """The app type of a row with a token, as the provider spells it; empty where the provider has none."""
    if not text["oauth_token"]:
        raise UnusableError("missing_token", _lacking("The row has no oauth_token.", "oauth_token", values))
    if not rules.app_types:
        return ""
    if not text["app_type"] and (meant := alike("app_type", values)):
        raise UnusableError("unknown_app_type", f"The row has no app_type. {meant}")
    return one_of("app_type", tuple(rules.app_types), text["app_type"])


def _require(text: Mapping[str, str], values: Mapping[str, object], rules: RowRules, *, swaps: bool) -> None:
    """Refuse a row that lacks what it needs, under the names that we read."""
    if swaps and rules.token_secret and not text["oauth_token_secret"]:
        whose = f"of a {text['app_type'].casefold()} application " if rules.app_types else ""
        lacks = f"The row {whose}has no oauth_token_secret."
        raise UnusableError("missing_secret", _lacking(lacks, "oauth_token_secret", values))
    if misnamed := misnamed_in(values, rules):
        for column, why in decisive(rules).items():
            if column in misnamed:
                detail = _lacking(f"The row has no {column}.", column, values)
                raise UnusableError("misnamed_column", f"{detail} Without it, {why}.")


def _tenant_type(text: str, rules: RowRules) -> str:
    """What kind of tenant a row is of; empty where the provider has no kinds."""
    column = rules.columns.get("tenant_type")
    return value_of("tenant_type", column, text) if column is not None else ""


def _consumer_key(text: str, rules: RowRules) -> str:
    """The legacy application of a row; empty for the only one, or the first."""
    if text and rules.consumer_keys is not None and text not in rules.consumer_keys:
        raise UnusableError(
            "unknown_consumer_key",
            "consumer_key names a legacy application that the configuration does not name, or has no secret"
            " of. Add it, as [oauth1.applications.NAME] with its consumer_key and its secrets.",
        )
    return text


def _with_used(further: Mapping[str, object], rules: RowRules) -> dict[str, object]:
    """The further columns, those that calls use among them in the provider's own spelling."""
    if not rules.further_columns:
        return dict(further)
    names = {name.casefold(): name for name in rules.further_columns}
    used: dict[str, object] = {}
    others: dict[str, object] = {}
    for given, value in further.items():
        name = names.get(given.strip().casefold())
        if name in used:
            raise UnusableError("bad_row", f"The row has the column {name} more than once.")
        (others if name is None else used)[name or given] = value
    for name in sorted(rules.further_columns):
        used[name] = value_of(name, rules.columns[name], _text(name, used.get(name)))
    return {**others, **used}


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


def _legacy(
    text: Mapping[str, str], expires_at: datetime | None, rules: RowRules, *, swaps: bool
) -> LegacyToken:
    """The token. A session handle is of use only for one that is swapped."""
    handle = text["oauth_session_handle"] if swaps and rules.session_handle else ""
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
