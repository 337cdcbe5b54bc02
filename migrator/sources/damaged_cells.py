"""Cells that a spreadsheet damaged: it took a long number or a code for a number, and shortened it.

Nothing brings back what is missing, so such a cell must not pass for a token or a key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHORTENED = re.compile(
    r"""[+-]?[0-9]
        (?: [0-9]{0,2}[.,][0-9]+ E[+-]?[0-9]{1,3}   # 1.23457E+15 (Excel), 12.3E+09 (as engineers have it),
                                                    # 1,5E+09 (in German), 1.5E9 (Java)
          | E[+-][0-9]{1,3} )                       # 1E+15
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SHORT_CODE = re.compile(r"[0-9]E[0-9]{1,3}", re.IGNORECASE)
"""``1E15``, as MySQL and Google write it, and any code of a few characters."""

_LETTER = r"[^\W\d_]"
_ERROR_VALUE = re.compile(
    rf"""\#+                                              # the column is too narrow
       | \#[¡¿]?{_LETTER}(?:{_LETTER}|[/_.0 ]){{0,30}}[!?]    # REF! NAME? ¡DIV/0! VALEUR! ÜBERLAUF! ЗНАЧ!
       | \#{_LETTER}{{1,3}}/{_LETTER}{{1,3}}                  # N/A N/D N/B I/T
       | \#(?:NV|YOK|HIÁNYZIK|PUUDUB|NEDOSTUPNÝ|NENÍ_K_DISPOZICI|GETTING_DATA)
       | (?:ERR|ERROR|ERREUR|ERRO|EROARE|FEHLER|FOUT|FEL|FEJL|FEIL|VIRHE|CHYBA|BŁĄD|HIBA|HATA|NAPAKA
           |GREŠKA|ГРЕШКА|ОШИБКА|ПОМИЛКА|ΣΦΆΛΜΑ|エラー|错误|錯誤|오류)\ ?:\ ?[0-9]{{3}}
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What stands in the place of a value, in the language of whoever saved the file.

Excel's begin with ``#`` and most end in a mark, so that their shape tells; LibreOffice has numbers besides
(``Err:502``).
"""

_SUSPECT_BEGINNING = re.compile(
    r"""\n (?: [-+\#] | [0-9] (?: [0-9]{0,2}[.,] | [eE][-+] | [eE][0-9]{1,3}(?![0-9A-Za-z]) ) )""", re.VERBOSE
)
"""What begins a line as a shortened number does, or an error value of Excel's."""
_SUSPECT_END = re.compile(r":[ ]?[0-9]{3}\n")
"""What ends it as an error value of LibreOffice's does.

Both patterns begin with a letter of its own, for which a text is searched fast.
"""


def none_damaged(texts: Sequence[str]) -> bool:
    """Whether a look at all of the texts, which hold no line break, tells that none of them is damaged.

    False tells nothing: ``is_damaged`` does, of each.
    """
    lines = "\n".join(("", *texts, ""))
    return _SUSPECT_BEGINNING.search(lines) is None and _SUSPECT_END.search(lines) is None


def is_damaged(text: str, *, may_be_short: bool = False) -> bool:
    """Whether a text is a number as spreadsheets and databases shorten it, or one of their error values.

    A code that merely could be read as a number (``12E45``, ``1234567890123456``) is not: the sign of the
    exponent, or a mantissa with a fraction, gives a number away. ``1E15`` has neither; it is taken for one
    unless the column's values ``may_be_short``, as keys may and tokens are not.
    """
    if text[:1] not in "+-0123456789":
        return _ERROR_VALUE.fullmatch(text) is not None
    return _SHORTENED.fullmatch(text) is not None or (
        not may_be_short and _SHORT_CODE.fullmatch(text) is not None
    )
