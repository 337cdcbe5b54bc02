"""A limit that is a bucket of tokens, refilled evenly."""

from __future__ import annotations

import math

from migrator.sandbox.http.limits import Permit


class Bucket:
    """Each call takes a token. Refused calls take none."""

    def __init__(self, size: int, per_second: float) -> None:
        self._size = size
        self._per_second = per_second
        self._tokens = float(size)
        self._at: float | None = None

    def acquire(self, now: float) -> Permit:
        """Let a call pass at ``now`` (seconds, never going back), or say when to come again."""
        passed = 0.0 if self._at is None else now - self._at
        self._at = now
        self._tokens = min(self._size, self._tokens + passed * self._per_second)
        if self._tokens < 1:
            wait = (1 - self._tokens) / self._per_second
            return Permit(granted=False, remaining=0, retry_after=max(1, math.ceil(wait)))
        self._tokens -= 1
        return Permit(granted=True, remaining=int(self._tokens))
