"""A text in English, marked for the catalogues, and what translates it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Translator(Protocol):
    """A language to say things in. ``pages.languages`` knows those that there are."""

    def gettext(self, english: str, /, **facts: str) -> str:
        """A text in this language, filled with ``facts``; in English where the catalogue lacks it."""

    def ngettext(self, one: str, many: str, number: int, /, **facts: str) -> str:
        """The text for so many."""

    def join(self, names: Sequence[str]) -> str:
        """Names as an enumeration."""

    def day(self, when: datetime) -> str:
        """A day in words, in UTC."""

    def time(self, when: datetime) -> str:
        """Hour and minute, in UTC."""


@dataclass(frozen=True)
class Message:
    """A page's heading, and what stands under it."""

    title: str
    paragraphs: tuple[str, ...]

    def translated(self, translator: Translator, **facts: str) -> Message:
        """This, which is in English, in another language."""
        return Message(
            translator.gettext(self.title, **facts),
            tuple(translator.gettext(text, **facts) for text in self.paragraphs),
        )


def marked(english: str) -> str:
    """Mark a text for the catalogues; it is said later."""
    return english
