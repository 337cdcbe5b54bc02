"""Who only fetches a page in advance, or for a preview, does not look at it. Pure."""

from __future__ import annotations

from collections.abc import Callable

_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_SHOWN = ("document", "iframe", "frame")
"""Where a browser shows what it fetches (Fetch Metadata); all others are parts of pages, or scripts'."""


def is_visit(method: str, header: Callable[[str, str], str]) -> bool:
    """Whether somebody looks at what is asked for.

    Nobody does where it is fetched in advance or for a preview, by a browser or a mail program, or where only
    its head is asked for, as scanners do. ``header`` gives the header of a name, or the text behind it.
    """
    if method != "GET" or header("Sec-Fetch-Dest", "document").lower() not in _SHOWN:
        return False
    purposes = ",".join(header(name, "") for name in _PURPOSES).lower()
    return not any(purpose in purposes for purpose in ("prefetch", "prerender", "preview"))
