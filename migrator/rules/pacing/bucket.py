"""The pace of calls that take tokens from a bucket, which is refilled evenly, and which others use, too."""

from __future__ import annotations

import math


class Bucket:
    """What share of the refill to use, by what the provider says is left in the bucket.

    Two things together: the emptier the bucket, the slower, down to half, which finds the balance where
    others take less than half; and a share that falls whenever the bucket was empty, and rises while it is
    nearly full, which finds it where they take more. As long as the bucket does not run dry, nobody goes
    slower than half.
    """

    FULL_SPEED = 0.6
    """How full it must be for that."""
    NEARLY_FULL = 0.75
    SLOWER = 0.7
    FASTER = 1.1
    LEAST_SHARE = 0.02
    SOON = 0.2
    """Seconds in which a fall of the share does not show yet in the answers."""
    TELLING = 4
    """A header that has never said more tells nothing: it may always say 0."""

    def __init__(self, refill: float) -> None:
        """``refill`` is in calls a second."""
        self._refill = refill
        self._most = 0
        self._level = 1.0
        self._share = 1.0
        self._fell = -math.inf
        self._rises_from = -math.inf

    @property
    def tells(self) -> bool:
        """Whether anything is known of the bucket."""
        return self._most >= self.TELLING

    @property
    def share(self) -> float:
        """The share of the refill to use, from 0 to 1."""
        if not self.tells:
            return 1.0
        return self._share * min(1.0, 0.5 + 0.5 * self._level / self.FULL_SPEED)

    @property
    def at_once(self) -> float:
        """How many calls may leave together without doing harm."""
        return self._most * self._level / 4 if self.tells else math.inf

    def note(self, remaining: int, now: float) -> None:
        """The provider says how many are left."""
        self._most = max(self._most, remaining)
        self._level = remaining / self._most if self._most else 0.0
        if remaining == 0 and now - self._fell > self.SOON:
            self._share, self._fell = max(self.LEAST_SHARE, self._share * self.SLOWER), now
        elif self._share < 1 and self._level >= self.NEARLY_FULL and now > self._rises_from:
            self._share = min(1.0, self._share * self.FASTER)
        else:
            return
        self._rises_from = now + max(1.0, self._most / self._refill)  # not before the last change has shown
