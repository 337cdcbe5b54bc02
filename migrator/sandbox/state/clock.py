"""The sandbox's clock, which may be wrong on purpose, and which can be moved on instead of waited for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from migrator.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from migrator.sandbox.state.state_file import State

LONGEST_ADVANCE = 3660 * 86400
"""Seconds by which the clock moves at once at most: ten years."""


class Clock:
    """Tells the provider's time: every expiry, every timestamp check and the ``Date`` header follow it.

    How far it was moved on is kept in the state and read when the clock is made: of two servers on one state,
    only the one that was told moves at once, the other when it is started again.
    """

    def __init__(self, state: State, skew: float = 0.0) -> None:
        """``skew``: seconds by which it is ahead (fault ``clock-skew``); negative: behind. Not kept."""
        self._state = state
        self._skew = skew
        with state.reading() as db:
            self._advanced: float = db.execute("SELECT advanced FROM clock").fetchone()[0]

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time() + self._skew + self._advanced

    def ticks(self) -> float:
        """Seconds since some moment, for measuring; unlike ``now`` they never go back."""
        return time.monotonic() + self._advanced

    def advance(self, seconds: float) -> float:
        """Move on for good; returns by how much in all. Raises ``SandboxError``: no clock goes back."""
        if not 0 <= seconds <= LONGEST_ADVANCE:  # nor is NaN between
            raise SandboxError(
                f"the clock cannot advance by {seconds} seconds, only by 0 to {LONGEST_ADVANCE}"
            )
        with self._state.writing() as db:
            db.execute("UPDATE clock SET advanced = advanced + ?", (seconds,))
            advanced: float = db.execute("SELECT advanced FROM clock").fetchone()[0]
        self._advanced = advanced
        return advanced
