"""Durations and shares as profiles write them: ``30m``, ``50%``."""

from __future__ import annotations

from datetime import timedelta

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def duration(text: str) -> timedelta:
    """A duration of a text that the schema has let pass, such as ``45s``, ``30m``, ``2h`` or ``30d``."""
    return int(text[:-1]) * _UNITS[text[-1]]


def share(text: str) -> float:
    """A share of a text such as ``50%``: 0.5."""
    return int(text.removesuffix("%")) / 100
