"""What the tests of all formats need."""

from __future__ import annotations

import io
import traceback
from typing import TYPE_CHECKING

import pytest

from migrator.errors import InputError
from migrator.models import Reject
from migrator.row_rules import Column, RowRules
from migrator.sources import Row, Source, open_source
from migrator.sources.screening import Repeated

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = ("connection_id", "app_type", "oauth_token", "oauth_token_secret", "notes")
HEADER = ",".join(COLUMNS) + "\n"
SECRET = "HUSH7HUSH"
"""Stands in rows wherever a secret could; must come out of nothing but ``Row.values``."""

XERO = RowRules(
    app_types={"partner": True, "public": False, "private": False},
    session_handle=True,
    columns={"tenant_type": Column(values=("ORGANISATION", "PRACTICE"), default="ORGANISATION")},
    consumer_keys=frozenset({"KEY1"}),
)
"""The rules of a provider with application types."""
ANY = RowRules()
"""Those of one without: every row swaps."""


def open_bytes(data: bytes | str, rules: RowRules = XERO) -> Source:
    """The source that standard input with this content is."""
    return open_source("-", stdin=io.BytesIO(data.encode() if isinstance(data, str) else data), rules=rules)


def read(data: bytes | str) -> list[Row | Reject]:
    """All rows and rejects of standard input with this content."""
    return list(open_bytes(data).rows())


def values(read: Sequence[Row | Reject]) -> list[dict[str, object]]:
    """What the rows hold; fails where there are rejects."""
    assert [each for each in read if isinstance(each, Reject)] == []
    return [dict(each.values) for each in read if isinstance(each, Row)]


def outline(read: Sequence[Row | Reject]) -> list[tuple[int, str]]:
    """Line and fate of each row."""
    return [(each.line, each.reason if isinstance(each, Reject) else "row") for each in read]


def refusal(data: bytes | str) -> InputError:
    """The error that standard input with this content ends in."""
    with pytest.raises(InputError) as caught:
        read(data)
    return caught.value


def whole_text(error: BaseException) -> str:
    """All that an error could ever show: message, hint, and what it was raised from or during."""
    return "".join([*traceback.format_exception(error), repr(error), str(getattr(error, "hint", ""))])


class DictSeen:
    """``screening.Seen`` in memory, for as many rows as a test has."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], str] = {}

    def repeated(self, token: str, key: str, source: str, line: int) -> Repeated | None:
        named = [("oauth_token", token), *([("connection_id", key)] if key else [])]
        for name in named:
            if name in self._places:
                return Repeated(name[0], self._places[name])
        self._places.update(dict.fromkeys(named, f"{source}:{line}"))
        return None
