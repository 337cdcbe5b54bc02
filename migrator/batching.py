"""Long rows of things in pieces (``itertools.batched`` of Python 3.12, as lists)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """The things in order, so many at a time; the last piece may be shorter."""
    rest = iter(things)
    while batch := list(islice(rest, size)):
        yield batch
