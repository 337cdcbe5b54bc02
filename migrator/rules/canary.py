"""Whether the first few of a run show that the others may follow. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrator.models import LIFETIME_ASSUMED, Standing, State


@dataclass(frozen=True)
class Canary:
    """What became of the first few."""

    reached: int
    """How many have a pair that was seen to reach its tenant."""
    wrong: tuple[Standing, ...]
    """Those that have none, though they need no consent."""

    @property
    def passed(self) -> bool:
        """Whether the others may follow: nothing is wrong, and something shows that all is right."""
        return not self.wrong and self.reached > 0


def judge_canary(standings: Sequence[Standing]) -> Canary:
    """Judge a run by where its first few connections stand."""
    reached = [standing for standing in standings if _reaches_its_tenant(standing)]
    wrong = [s for s in standings if s not in reached and s.state is not State.NEEDS_CONSENT]
    return Canary(len(reached), tuple(wrong))


def _reaches_its_tenant(standing: Standing) -> bool:
    verified = standing.pair is not None and standing.pair.verified
    return verified and standing.state is State.MIGRATED and standing.reason in ("", LIFETIME_ASSUMED)
