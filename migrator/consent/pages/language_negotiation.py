"""Which of our languages a browser gets. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

_MOST_WISHES = 50
"""Languages that a browser may name; real ones name a handful."""


def best_match(accepted: Iterable[tuple[str, float]], available: Collection[str]) -> str | None:
    """The first language of a browser's wishes that is ``available``; None if there is none.

    ``accepted`` are the tags of ``Accept-Language`` and their weights, in any order; those of weight 0 are
    not wanted. ``available`` are tags in lower case. ``de-CH`` is served by ``de`` (RFC 4647, 3.4: lookup),
    before whatever the browser likes less.
    """
    wishes = sorted(list(accepted)[:_MOST_WISHES], key=lambda wish: -wish[1])
    for tag, weight in wishes:
        if weight > 0:
            found = lookup(tag, available)
            if found is not None:
                return found
    return None


def lookup(tag: str, available: Collection[str]) -> str | None:
    """A tag, or what is left of it when further and further subtags are taken off its end."""
    subtags = tag.lower().replace("_", "-").split("-")
    for length in range(min(len(subtags), 8), 0, -1):
        shorter = "-".join(subtags[:length])
        if shorter in available:
            return shorter
    return None
