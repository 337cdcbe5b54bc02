"""Shares made exact: so many of each kind, in a random order, without laying the order out in memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Generic, TypeVar

from migrator.sandbox.errors import MixError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

T = TypeVar("T")


class Shares(Generic[T]):
    """A sample without replacement: exactly ``counts`` of each come, each order as likely as any other."""

    def __init__(self, counts: Mapping[T, int], random: Random) -> None:
        self._left = dict(counts)
        self._random = random

    def draw(self) -> T:
        """The next one; raises ``IndexError`` when all are drawn."""
        total = sum(self._left.values())
        if total == 0:
            raise IndexError("all are drawn")
        place = self._random.randrange(total)
        for kind, left in self._left.items():
            if place < left:
                self._left[kind] -= 1
                return kind
            place -= left
        raise AssertionError("a place lies beyond what is left")


def apportion(count: int, weights: Mapping[T, float]) -> dict[T, int]:
    """Split ``count`` by weight, by largest remainder; of equal remainders the first gets the rest."""
    total = math.fsum(weights.values())
    quotas = {name: count * weight / total for name, weight in weights.items()}
    parts = {name: math.floor(quota) for name, quota in quotas.items()}
    by_remainder = sorted(quotas, key=lambda name: parts[name] - quotas[name])
    for name in by_remainder[: count - sum(parts.values())]:
        parts[name] += 1
    return parts


def parse_mix(text: str, kinds: Sequence[str]) -> dict[str, float]:
    """Read ``partner=80,public=15,private=5``: relative weights of these kinds; raises ``MixError``."""
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in kinds or name in weights:
            raise MixError(f"mix {text!r}: {part!r} is not one of {', '.join(kinds)}, each named once")
        try:
            weights[name] = float(value)
        except ValueError as error:
            raise MixError(f"mix {text!r}: {value!r} is not a number, for example {kinds[0]}=80") from error
        if not 0 <= weights[name] < math.inf:
            raise MixError(f"mix {text!r}: {value} is not a weight of 0 or more")
    if not any(weights.values()):
        raise MixError(f"mix {text!r}: no weight is above 0")
    return weights
