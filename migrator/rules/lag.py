"""How far the hand-over may fall behind before no further pair is won. Pure.

Where the legacy token dies with its swap, a pair that nobody can use yet is a customer cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from migrator.providers.facts import LegacyFate

_LIVES_ON = frozenset({LegacyFate.LIVES, LegacyFate.DIES_AFTER, LegacyFate.MUST_BE_DISABLED})
"""What leaves the application a token that works until it has the pair."""


@dataclass(frozen=True)
class LagLimit:
    """What may wait to be delivered."""

    pairs: int = 1000
    time: timedelta = timedelta(seconds=60)
    """For which the first of them may."""

    @property
    def to_go_on(self) -> LagLimit:
        """What may wait when it was too much: less, lest the job stops and goes on all the time."""
        return LagLimit(self.pairs // 2, self.time / 2)


@dataclass(frozen=True)
class Unlimited:
    """Whatever waits, the job goes on."""


def limit_of(said: LagLimit | Unlimited | None, fate: LegacyFate) -> LagLimit | Unlimited:
    """What holds: what somebody ``said``, or else what fits what becomes of a legacy token."""
    if said is not None:
        return said
    return Unlimited() if fate in _LIVES_ON else LagLimit()


def is_behind(pairs: int, waited: timedelta, limit: LagLimit | Unlimited) -> bool:
    """Whether no further pair may be won, where ``pairs`` wait and the first of them has ``waited``."""
    if isinstance(limit, Unlimited) or not pairs:
        return False
    return pairs > limit.pairs or waited > limit.time
