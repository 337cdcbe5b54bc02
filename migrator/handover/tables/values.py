"""Rows as a database's driver takes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set

Row = Mapping[str, object]

_INT64 = 2**63

_TIMES = frozenset({"expires_at", "refresh_expires_at"})
"""Columns of the plain shape, the only one that a table takes, that hold times."""


def even(row: Row, columns: Sequence[str]) -> Row:
    """A row with a value, or none, for each column: times as times, where a text says one."""
    values = {name: row.get(name) for name in columns}
    for name in _TIMES & values.keys():
        value = values[name]
        values[name] = datetime.fromisoformat(value) if isinstance(value, str) and value else None
    return values


def times(first: Sequence[Row]) -> set[str]:
    """The columns that hold times and nothing else, as far as the first rows tell."""
    said = {
        (each, isinstance(value, datetime))
        for row in first
        for each, value in row.items()
        if value is not None
    }
    return {each for each, is_time in said if is_time and (each, False) not in said}


def prepared(row: Row, expected: Set[str], written: Iterable[str], kind: str) -> dict[str, object]:
    """A row as the driver takes it. Raises ``ValueError`` where its columns are not the first row's."""
    if row.keys() != expected:
        raise ValueError("the rows differ in their columns")
    return {
        column: value if (value := row[column]) is None or type(value) is str else _value(value, kind)
        for column in written
    }


def _value(value: object, kind: str) -> object:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        moment = value if value.tzinfo is UTC else value.astimezone(UTC)
        if kind == "mysql":
            return moment.replace(tzinfo=None)
        return moment.isoformat() if kind == "sqlite" else moment
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) or (isinstance(value, int) and abs(value) >= _INT64):
        return str(value)  # a plain one: drivers take members of enumerations for something else
    return value
