"""Whether the first few of a run show that the others may follow. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrator.models import FAULTLESS, Standing, State


@dataclass(frozen=True)
class Canary:
    """What became of the first few."""

    reached: int
    """How many have a pair that was seen to work as it should."""
    wrong: tuple[Standing, ...]
    """Those that have none, though they need no consent."""

    @property
    def passed(self) -> bool:
        """Whether the others may follow: nothing is wrong, and something shows that all is right."""
        return not self.wrong and self.reached > 0


def judge_canary(standings: Sequence[Standing], *, verifies: bool = True) -> Canary:
    """Judge a run by where its first few connections stand.

    Where the provider does not ``verify``, a stored pair is all that can be shown.
    """
    reached = [standing for standing in standings if _is_right(standing, verifies=verifies)]
    wrong = [s for s in standings if s not in reached and s.state is not State.NEEDS_CONSENT]
    return Canary(len(reached), tuple(wrong))


def _is_right(standing: Standing, *, verifies: bool) -> bool:
    verified = standing.pair is not None and (standing.pair.verified or not verifies)
    return verified and standing.state is State.MIGRATED and standing.reason in FAULTLESS
