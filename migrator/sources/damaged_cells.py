"""Cells that a spreadsheet damaged: it took a long number or a code for a number, and shortened it.

Nothing brings back what is missing, so such a cell must not pass for a token or a key.
"""

from __future__ import annotations

import re

_SHORTENED = re.compile(
    r"""[+-]?[0-9]
        (?: [.,][0-9]+ E[+-]?[0-9]{1,3}   # 1.23457E+15 (Excel), 1,5E+09 (in German), 1.5E9 (Java)
          | E[+-][0-9]{2,3}               # 1E+15; without its sign it may be any code: 12E45, 1E5
        )""",
    re.IGNORECASE | re.VERBOSE,
)
_ERROR_VALUE = re.compile(r"#+|#(?:N/A|NV|N/V|NULL!|[A-Z\u00c4\u00d6\u00dc0/]+[!?])", re.IGNORECASE)
"""What stands in the place of a value: a column is too narrow (``#####``), a formula failed (``#NAME?``)."""


def is_damaged(text: str) -> bool:
    """Whether a text is a number as spreadsheets shorten it, or one of their error values.

    A code that merely could be read as a number (``12E45``, ``1E5``, ``1234567890123456``) is not: the sign
    of the exponent, or a mantissa with a fraction, gives a spreadsheet away.
    """
    first = text[:1]
    if first == "#":
        return _ERROR_VALUE.fullmatch(text) is not None
    return first in "+-0123456789" and _SHORTENED.fullmatch(text) is not None
