"""Texts from outside, made fit for a terminal. Apart from the tables: every message goes through here."""

from __future__ import annotations


def printable(text: str) -> str:
    """A text with every character that is not printable shown as an escape.

    Names come from outside, and terminals obey.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
