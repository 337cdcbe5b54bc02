"""Random bytes of the operating system, asked for many at a time: each question lets go of Python's lock, and
waits to get it back from the threads that make calls.
"""

from __future__ import annotations

import os
from collections import deque

_AT_ONCE = 256


class RandomBytes:
    """Random values of one size; each is given once, to whichever thread asks."""

    def __init__(self, size: int) -> None:
        """``size`` is in bytes."""
        self._size = size
        self._values: deque[bytes] = deque()

    def next(self) -> bytes:
        """The next one."""
        while True:
            try:
                return self._values.popleft()
            except IndexError:
                several = os.urandom(self._size * _AT_ONCE)
                ends = range(self._size, len(several) + 1, self._size)
                self._values.extend(several[end - self._size : end] for end in ends)
