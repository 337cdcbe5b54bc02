"""What was measured, beside what it shall be."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """What a figure shall be, in itself or beside another one."""

    bound: float
    at_least: bool = False
    """Else it is at most that."""
    beside: tuple[float, ...] | None = None
    """The other one's figures of the same rounds, where it is the ratio of the two that counts."""
    other: str = ""
    """Whose those are."""

    def reached(self, figures: Sequence[float]) -> float:
        """What is held against the bound: the median, or the median of each round's ratio."""
        if self.beside is None:
            return statistics.median(figures)
        return statistics.median(own / other for own, other in zip(figures, self.beside, strict=True))

    def met(self, figures: Sequence[float]) -> bool:
        """Whether it is what it shall be."""
        reached = self.reached(figures)
        return reached >= self.bound if self.at_least else reached <= self.bound


@dataclass(frozen=True)
class Figure:
    """One thing of one program, as each round measured it."""

    who: str
    values: tuple[float, ...]
    unit: str
    goal: Goal | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True)
class Part:
    """What belongs together, with its figures."""

    title: str
    figures: tuple[Figure, ...]
    note: str = ""
    """How it was measured, where that must be known to read the figures."""
