"""Texts in six bits a character: nearly all tokens are made of the 64 characters of base64url (RFC 4648, 5),
whatever they encode, if anything.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from itertools import accumulate, pairwise

_TO_BASE64 = bytes.maketrans(b"-_+/=", b"+/***")
_FROM_BASE64 = bytes.maketrans(b"+/", b"-_")


def packed(texts: Sequence[str]) -> bytes | None:
    """Some texts: their lengths, then their characters. None where one has other characters, or over 255."""
    characters = "".join(texts)
    try:
        lengths = bytes(map(len, texts))
        filled = characters.encode().translate(_TO_BASE64) + b"A" * (-len(characters) % 4)
        return lengths + a2b_base64(filled, strict_mode=True)
    except ValueError:
        return None


def unpacked(values: bytes, number: int) -> list[str]:
    """So many texts, as they were packed."""
    characters = b2a_base64(values[number:], newline=False).translate(_FROM_BASE64).decode()
    ends = accumulate(values[:number], initial=0)
    return [characters[begin:end] for begin, end in pairwise(ends)]
