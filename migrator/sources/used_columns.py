"""The columns that a provider's calls use beside those that every input has: what they may say."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from migrator.loopback import is_loopback
from migrator.sources.unreadable_row import UnusableError

if TYPE_CHECKING:
    from migrator.row_rules import Column


def value_of(name: str, column: Column, text: str) -> str:
    """What a row says in a column that calls use, as they use it: in the provider's own spelling.

    Raises ``UnusableError`` for a row with which no call could be made.
    """
    text = text or column.default
    if not text:
        which = f"; it is one of {', '.join(column.values)}" if column.values else ""
        raise UnusableError(_lacking(name, column), f"{name} is empty{which}.")
    if column.url:
        return _base_url(name, text)
    return one_of(name, column.values, text) if column.values else text


def one_of(name: str, values: tuple[str, ...], text: str) -> str:
    """The one of ``values`` that ``text`` names, in whatever case. Raises ``UnusableError`` if none is."""
    folded = text.casefold()
    for value in values:
        if value.casefold() == folded:
            return value
    what = "is none of" if text else "is empty; it is one of"
    raise UnusableError(f"unknown_{name}", f"{name} {what} {', '.join(values)}.")


def _lacking(name: str, column: Column) -> str:
    return f"unknown_{name}" if column.values else f"missing_{name}"


def _base_url(name: str, text: str) -> str:
    """A URL that paths can be put behind: tokens go there, so that nobody may listen in."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise UnusableError("bad_url", f"{name} is not a URL.") from None
    if parts.scheme not in ("http", "https") or not host or text.split() != [text] or "\\" in text:
        raise UnusableError("bad_url", f"{name} is not an https URL with a host.")
    if parts.username is not None or parts.password is not None or any(mark in text for mark in "?#"):
        raise UnusableError("bad_url", f"{name} is more than scheme, host and path.")
    if parts.scheme == "http" and not is_loopback(host):
        raise UnusableError(
            "bad_url", f"{name} is plain http to another machine: tokens would be readable on the way."
        )
    return text.rstrip("/")
