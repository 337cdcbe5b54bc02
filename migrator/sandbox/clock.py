"""The sandbox's clock, which may be wrong on purpose."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Tells the provider's time: every expiry, every timestamp check and the ``Date`` header follow it."""

    skew: float = 0.0
    """Seconds by which this clock is ahead of the real one (fault ``clock-skew``); negative: behind."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time() + self.skew
