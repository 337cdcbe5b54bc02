"""Lines about one thing."""

from __future__ import annotations

from dataclasses import dataclass

Line = tuple[str, str]
"""A label, which may be empty, and what there is to say."""


@dataclass(frozen=True)
class Topic:
    """A title and what stands below it."""

    title: str
    lines: tuple[Line, ...]


def cited(source: str) -> str:
    """The source of a fact, to stand behind it; nothing where none is named."""
    return f" [{source}]" if source else ""
