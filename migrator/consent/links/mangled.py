"""What mail programs make of a link, undone as far as it can be. Pure.

They take the full stop or bracket behind a link into it, break it with blanks and line ends, write characters
as codes (and codes as codes again), put characters into it that nobody sees, and turn capitals into small
letters. Nobody can tell from a text which of it has happened: so there are several readings of one text, and
whoever asks for them knows by a signature which is right.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

LONGEST = 1024
"""Characters of a text that are looked at; the codes of one that nobody sees take a dozen."""
MOST = 160
"""Letters in which something is looked for."""

_CODES_OF_CODES = 3
"""How often one program after the other may have written characters as codes."""
_TAG = re.compile(r"<[^<>]*>")
_QUOTED = re.compile(r"=[0-9A-Fa-f]{2}")
"""A character as quoted-printable writes it (RFC 2045, 6.7); its line ends hold no letter."""


def readings(text: str) -> Iterator[str]:
    """A text as it may have been meant: as it is, without codes, without marks; none comes twice."""
    text = text[:LONGEST]
    plain = text
    for _ in range(_CODES_OF_CODES):
        plain = html.unescape(unquote(plain))
    yield from dict.fromkeys((text, plain, _QUOTED.sub("", plain), _QUOTED.sub("", _TAG.sub("", plain))))


def windows(text: str, letters: frozenset[str], length: int) -> Iterator[str]:
    """Whatever stands in a text at such a length, once all but these letters is left out."""
    kept = "".join(letter for letter in text if letter in letters)[:MOST]
    return (kept[start : start + length] for start in range(len(kept) - length + 1))
