"""What a receiver says of a pair that it refuses, made fit to be kept and shown. Pure.

It may repeat what it got, whole or in part: databases quote the beginning of a value that they do not take.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 200
"""Characters of a problem that are kept."""
_PIECE = 8
"""Characters of a secret that stand in a text by no accident; a piece of twice as many is always found."""
_HIDDEN = "…"
_AROUND = "\"'`()[]{}<>.,:;=!?"
"""What may stand around a secret in a sentence."""


class ToldProblems:
    """Knows the secrets of a delivery: a problem of one pair may quote another one's."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = [secret for secret in secrets if secret]
        self._short = {secret for secret in known if len(secret) < _PIECE}
        # Of twice that many characters of a secret, eight are one of these, wherever they were cut off; all
        # pieces of all secrets would take eight times the memory.
        self._pieces = {
            secret[at : at + _PIECE] for secret in known for at in range(0, len(secret) - _PIECE + 1, _PIECE)
        }

    def shown(self, problem: object) -> str:
        """A problem in one line, cut off, and without the words that repeat a secret."""
        text = problem if isinstance(problem, str) else ""
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return self._masked(text)[:_LONGEST] or "refused"

    def _masked(self, text: str) -> str:
        hidden = bytearray(len(text))
        for at in range(len(text) - _PIECE + 1):
            if text[at : at + _PIECE] in self._pieces:
                hidden[at : at + _PIECE] = b"\1" * _PIECE

        def word(found: re.Match[str]) -> str:
            repeats = any(hidden[found.start() : found.end()]) or found[0].strip(_AROUND) in self._short
            return _HIDDEN if repeats else found[0]

        return re.sub(r"\S+", word, text)
