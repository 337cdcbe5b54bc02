"""What stands at a path of an answer's document: names joined by dots, which lead through lists as well.

A name may begin with a dot itself: ``error..tag`` is ``.tag`` in ``error``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_NAME = re.compile(r"(?:^|\.)(\.?[^.]+)")


def names(path: str) -> tuple[str, ...]:
    """The names of a path, from the top of the document down."""
    return tuple(_NAME.findall(path))


def at(document: Any, path: str) -> Iterator[Any]:
    """All that stands there, in order; nothing if the path leads nowhere.

    The empty path leads to the document. Where it meets a list, it goes on in each item, and what it ends in
    is given item by item too.
    """
    yield from _walk(document, names(path))


def first(document: Any, path: str) -> Any:
    """The first that stands there, or None."""
    return next(at(document, path), None)


def named(document: Any, path: str) -> Any:
    """What stands there as it is, lists too; None if the path leads nowhere, or through a list."""
    for name in names(path):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _walk(value: Any, names: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, names)
    elif not names:
        yield value
    elif isinstance(value, dict) and names[0] in value:
        yield from _walk(value[names[0]], names[1:])
