"""What a row says in the columns that we know: where they stand in it, and their text."""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, cast

from migrator.sources.columns import KNOWN_COLUMNS, known_column, misnamed
from migrator.sources.damaged_cells import is_damaged, none_damaged
from migrator.sources.unreadable_row import UnusableError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LENGTH = 10_000
"""Characters that a known column may have; no token, name or address comes near."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_NAMES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""An organisation's name may run over lines, and have been through one encoding too many."""
_TEXTUAL = (str, int)
"""What a cell's text may come as; ``str | int`` would be put together for each cell."""
_AS_TEXT = "Format the column as text, and export the file again."


class KnownCells(NamedTuple):
    """A row's text in each of ``KNOWN_COLUMNS``, trimmed; empty where it says nothing, or has no such column.

    Holds secrets in the clear.
    """

    connection_id: str
    app_type: str
    organisation: str
    tenant_id: str
    tenant_type: str
    contact_email: str
    oauth_token: str
    oauth_token_secret: str
    oauth_session_handle: str
    oauth_expires_at: object
    """As the row has it: it may be a number, and is looked at last."""
    consumer_key: str

    def __repr__(self) -> str:
        return "KnownCells(…)"


_TEXT_COLUMNS = tuple(column for column in KNOWN_COLUMNS if column != "oauth_expires_at")
_IDENTIFYING = ("connection_id", "oauth_token", "oauth_token_secret", "oauth_session_handle", "tenant_id")
"""Columns whose value must be whole to be of use."""
_KEYS = frozenset({"connection_id", "tenant_id"})
"""Those of them that may be a code of a few characters."""
_identifying = itemgetter(*(KNOWN_COLUMNS.index(column) for column in (*_IDENTIFYING, "oauth_expires_at")))


class Layout:
    """What the names of a row's columns decide: most rows have those of the one before."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.further: list[str] = []
        """The names that mean nothing to us."""
        self.repeated = ""
        """A column that is there more than once, so that no such row can be used."""
        places: dict[str, int] = {}
        for place, name in enumerate(names):
            column = known_column(name)
            if column is None:
                self.further.append(name)
            elif column in places:
                self.repeated = self.repeated or column
            else:
                places[column] = place
        self.seems_misnamed = bool(misnamed(names))
        """Whether a name seems to mean a column that is not there."""
        self._pick = itemgetter(*(places.get(column, len(names)) for column in KNOWN_COLUMNS))

    def cells(self, values: Mapping[str, object]) -> KnownCells:
        """What a row with these names says. Raises ``UnusableError`` for what is no text, or damaged."""
        if self.repeated:
            raise UnusableError("bad_row", f"The row has the column {self.repeated} more than once.")
        raw = self._pick((*values.values(), ""))
        return KnownCells._make(raw if _nothing_odd(raw) else _texts(raw))


layout_of = lru_cache(maxsize=16)(Layout)
"""The layout by names, which may be long."""


def _nothing_odd(raw: tuple[object, ...]) -> bool:
    """Whether a look at the whole tells that ``_texts`` would change no cell, nor refuse one.

    Of odd rows, False tells nothing: it may be so still.
    """
    try:
        whole = "|".join(cast("tuple[str, ...]", raw))
    except TypeError:  # numbers, and whatever else JSON and tables have
        return False
    # Of the printable characters, only the space is one to trim.
    return (
        len(whole) <= MAX_LENGTH
        and whole.isprintable()
        and " |" not in whole
        and "| " not in whole
        and whole[0] != " "
        and whole[-1] != " "
        and none_damaged(cast("tuple[str, ...]", _identifying(raw)))
    )


def _texts(raw: tuple[object, ...]) -> list[object]:
    """The text of each cell but of ``oauth_expires_at``, looked at one by one."""
    cells = dict(zip(KNOWN_COLUMNS, raw, strict=True))
    texts = {column: text_of(column, cells[column]) for column in _TEXT_COLUMNS}
    for column in _IDENTIFYING:
        refuse_damaged(column, texts[column])
    return list((cells | texts).values())


def text_of(column: str, value: object) -> str:
    """The text of a column, trimmed, or empty. In JSON and in tables, keys are often numbers.

    Raises ``UnusableError``.
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, _TEXTUAL):
        raise UnusableError("bad_value", f"{column} is neither text nor a whole number.")
    text = str(value).strip()
    if len(text) > MAX_LENGTH:
        raise UnusableError("bad_value", f"{column} has more than {MAX_LENGTH:,} characters.")
    if (_CONTROL_IN_NAMES if column == "organisation" else _CONTROL).search(text):
        raise UnusableError("bad_value", f"{column} holds a control character or a line break.")
    return text


def refuse_damaged(column: str, text: str) -> None:
    """Raise ``UnusableError`` for a text that a spreadsheet has damaged."""
    if is_damaged(text, may_be_short=column in _KEYS):
        what = "is a number that a spreadsheet has shortened, or one of its error values."
        raise UnusableError("damaged_cell", f"{column} {what} {_AS_TEXT}")
