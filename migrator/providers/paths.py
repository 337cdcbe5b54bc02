"""What stands at a path of an answer's document: names joined by dots, which lead through lists as well.

A name may begin with a dot itself: ``error..tag`` is ``.tag`` in ``error``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_NAME = re.compile(r"(?:^|\.)(\.?[^.]+)")


@lru_cache(maxsize=1024)  # the paths of profiles: few, and none is secret
def names(path: str) -> tuple[str, ...]:
    """The names of a path, from the top of the document down."""
    return tuple(_NAME.findall(path))


def at(document: Any, path: str) -> list[Any]:
    """All that stands there, in order; nothing if the path leads nowhere.

    The empty path leads to the document. Where it meets a list, it goes on in each item, and what it ends in
    is given item by item too.
    """
    found = []
    waiting = [(document, names(path))]
    while waiting:  # not by recursion: lists may be nested deeper than Python's calls
        value, left = waiting.pop()
        while left and isinstance(value, dict) and left[0] in value:
            value, left = value[left[0]], left[1:]
        if isinstance(value, list):
            waiting.extend((item, left) for item in reversed(value))
        elif not left:
            found.append(value)
    return found


def first(document: Any, path: str) -> Any:
    """The first that stands there, or None."""
    return next(iter(at(document, path)), None)


def named(document: Any, path: str) -> Any:
    """What stands there as it is, lists too; None if the path leads nowhere, or through a list."""
    for name in names(path):
        document = document.get(name) if isinstance(document, dict) else None
    return document
