"""From one raw row to a connection, by what its columns mean and what the provider's calls need. Pure.

No detail of a reject quotes a value.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from migrator.models import Connection, LegacyToken, Reject, Secret
from migrator.sources.columns import alike
from migrator.sources.expiry_time import instant
from migrator.sources.known_cells import KnownCells, Layout, layout_of, refuse_damaged, text_of
from migrator.sources.missing_columns import decisive, misnamed_in
from migrator.sources.unreadable_row import UnusableError
from migrator.sources.used_columns import one_of, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from migrator.row_rules import RowRules
    from migrator.sources.interface import Row


class RowReader:
    """Reads rows under one provider's rules.

    What many rows share is decided once: what their header means, and what they say of their application and
    tenant. What is refused is not remembered, and so no secret that stands in the wrong column.
    """

    def __init__(self, rules: RowRules) -> None:
        self._rules = rules
        self._uses_further = bool(rules.further_columns)
        self._layout = Layout(())
        self._app_type = lru_cache(maxsize=64)(self._app_type_named)
        self._tenant_type = lru_cache(maxsize=64)(self._tenant_type_named)

    def read(self, source_name: str, row: Row) -> Connection | Reject:
        """The connection that a row describes, or why it cannot be used."""
        try:
            return self._connection(row.values)
        except UnusableError as unusable:
            return Reject(source_name, row.line, unusable.reason, unusable.detail)

    def _connection(self, values: Mapping[str, object]) -> Connection:
        names = tuple(values)
        if names != self._layout.names:
            self._layout = layout_of(names)
        layout, rules = self._layout, self._rules
        text = layout.cells(values)
        if not text.oauth_token:
            raise UnusableError(
                "missing_token", _lacking("The row has no oauth_token.", "oauth_token", values)
            )
        if rules.app_types and not text.app_type and (meant := alike("app_type", values)):
            raise UnusableError("unknown_app_type", f"The row has no app_type. {meant}")
        app_type = self._app_type(text.app_type) if rules.app_types else ""
        swaps = rules.app_types.get(app_type, True)
        if swaps and rules.token_secret and not text.oauth_token_secret:
            raise self._without_secret(text, values)
        if layout.seems_misnamed:
            self._refuse_misnamed(values)
        legacy = self._legacy(text, swaps=swaps)
        tenant_type = self._tenant_type(text.tenant_type)
        consumer_key = self._consumer_key(text.consumer_key)
        further = {name: values[name] for name in layout.further} if layout.further else {}
        if text.consumer_key and rules.consumer_keys is None:
            further["consumer_key"] = text.consumer_key  # of nobody's use: kept, and not in the clear
        return Connection(
            text.connection_id or None,
            app_type,
            legacy,
            text.organisation,
            text.tenant_id,
            tenant_type,
            text.contact_email,
            consumer_key,
            _with_used(further, rules) if self._uses_further else further,
        )

    def _app_type_named(self, text: str) -> str:
        """The app type of a row, as the provider spells it."""
        return one_of("app_type", tuple(self._rules.app_types), text)

    def _tenant_type_named(self, text: str) -> str:
        """What kind of tenant a row is of; empty where the provider has no kinds."""
        column = self._rules.columns.get("tenant_type")
        return value_of("tenant_type", column, text) if column is not None else ""

    def _consumer_key(self, text: str) -> str:
        """The legacy application of a row; empty for the only one, or the first."""
        keys = self._rules.consumer_keys
        if not text or keys is None:
            return ""
        if text not in keys:
            raise UnusableError(
                "unknown_consumer_key",
                "consumer_key names a legacy application that the configuration does not name, or has no"
                " secret of. Add it, as [oauth1.applications.NAME] with its consumer_key and its secrets.",
            )
        return text

    def _without_secret(self, text: KnownCells, values: Mapping[str, object]) -> UnusableError:
        whose = f"of a {text.app_type.casefold()} application " if self._rules.app_types else ""
        lacks = f"The row {whose}has no oauth_token_secret."
        return UnusableError("missing_secret", _lacking(lacks, "oauth_token_secret", values))

    def _refuse_misnamed(self, values: Mapping[str, object]) -> None:
        """Refuse a row that has what it needs under names that we do not read."""
        misnamed = misnamed_in(values, self._rules)
        for column, why in decisive(self._rules).items() if misnamed else ():
            if column in misnamed:
                detail = _lacking(f"The row has no {column}.", column, values)
                raise UnusableError("misnamed_column", f"{detail} Without it, {why}.")

    def _legacy(self, text: KnownCells, *, swaps: bool) -> LegacyToken:
        """The token. A session handle is of use only for one that is swapped."""
        ends, handle = text.oauth_expires_at, text.oauth_session_handle
        return LegacyToken(
            Secret(text.oauth_token),
            Secret(text.oauth_token_secret),
            Secret(handle) if handle and swaps and self._rules.session_handle else None,
            _end_named(ends) if isinstance(ends, str) else _end(ends),
        )


def read_row(source_name: str, row: Row, rules: RowRules) -> Connection | Reject:
    """One row alone, as ``RowReader`` reads it."""
    return RowReader(rules).read(source_name, row)


def _with_used(further: Mapping[str, object], rules: RowRules) -> dict[str, object]:
    """The further columns, those that calls use among them in the provider's own spelling."""
    names = {name.casefold(): name for name in rules.further_columns}
    used: dict[str, object] = {}
    others: dict[str, object] = {}
    for given, value in further.items():
        name = names.get(given.strip().casefold())
        if name in used:
            raise UnusableError("bad_row", f"The row has the column {name} more than once.")
        (others if name is None else used)[name or given] = value
    for name in sorted(rules.further_columns):
        used[name] = value_of(name, rules.columns[name], text_of(name, used.get(name)))
    return {**others, **used}


def _lacking(sentence: str, column: str, names: Iterable[str]) -> str:
    """The sentence, with the name of the row's column that seems to be meant."""
    return f"{sentence} {meant}" if (meant := alike(column, names)) else sentence


def _end(value: object) -> datetime | None:
    """When a token ends, as ``oauth_expires_at`` says."""
    if isinstance(value, float):
        return instant(value)
    text = text_of("oauth_expires_at", value)
    refuse_damaged("oauth_expires_at", text)
    return instant(text)


@lru_cache(maxsize=4096)
def _end_named(text: str) -> datetime | None:
    """The same of a text: one day's tokens end at the same few times."""
    return _end(text)
