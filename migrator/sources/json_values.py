"""What a row in JSON must be, whichever way it stands in the file."""

from __future__ import annotations

import json
import math
from typing import NoReturn

from migrator.sources.unreadable_row import RowProblem

DEPTH_LIMIT = 100
"""Levels of nesting that a row may have: far from where Python's own JSON encoder gives up."""


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError
    return number


DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse_constant)
"""Python's decoder without NaN and infinities, which JSON has not: they could not be handed on.

Raises ``JSONDecodeError``, or for numbers its base ``ValueError``, or ``RecursionError``; they quote the row.
"""

NO_JSON_VALUE = "The row holds a number that JSON has not or that is too large, or is nested too deep."
"""What either of the plain errors means."""


def check_row(value: object) -> dict[str, object] | RowProblem:
    """The row that ``value`` is, or why it is none or could not be written out.

    Raises ``RecursionError`` where it is nested deeper still.
    """
    if not isinstance(value, dict):
        return RowProblem("bad_row", "The row is not an object with columns as its names.")
    text = json.dumps(value, ensure_ascii=False)
    if not text.isascii() and not _is_encodable(text):
        return RowProblem(
            "bad_encoding", "The row holds text that is not UTF-8, or half of a surrogate pair."
        )
    # There are at least as many brackets as levels; most rows have too few of them to look closer.
    if text.count("{") + text.count("[") > DEPTH_LIMIT and _depth(value) > DEPTH_LIMIT:
        return RowProblem("bad_json", f"The row is nested more than {DEPTH_LIMIT} levels deep.")
    return value


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _depth(value: object) -> int:
    """Levels of objects and arrays, not counting beyond the first that is too many."""
    depth, level = 0, [value]
    while depth <= DEPTH_LIMIT and (level := [each for each in level if isinstance(each, dict | list)]):
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth
