"""Whose a row is, by its ``contact_email``: the mail addresses in it, read alike by whoever asks. Pure."""

from __future__ import annotations

import re
import unicodedata
from email.utils import getaddresses

_ADDRESS = re.compile(r"[^\s@:;,<>()\[\]\"]+@(?:[^\s@:;,<>()\[\]\".]+\.)+[^\s@:;,<>()\[\]\".]{2,}")
"""Something, an @, and a name of several parts: whether mail arrives there, only mail can tell."""


def addresses(text: str) -> frozenset[str]:
    """The addresses that a row names, one or several, with or without names; capitals make no difference.

    A list of them belongs to each. Empty where any part is nothing that a mail could go to: whoever wrote
    ``n/a`` into two rows has not said that they are one person's.
    """
    text = text.strip()
    if _ADDRESS.fullmatch(text):  # as nearly all are
        found = [text]
    else:
        found = [address for _, address in getaddresses([text.replace(";", ",")]) if address]
    plain = text.isprintable() and ":" not in text  # neither hidden letters nor a URL
    if not plain or not all(_ADDRESS.fullmatch(one) for one in found):
        return frozenset()
    return frozenset(unicodedata.normalize("NFC", one).lower() for one in found)
