"""How fast a window that others use too has room for further calls."""

from __future__ import annotations


class Room:
    """Follows what is left of a sliding window.

    Room appears as old calls leave the window, ours and others', and others take of it: what is left, and
    what we took meanwhile, tells the difference. Whoever takes no more than that never meets a full window,
    and leaves none to others either, as long as they do not take more all of a sudden.
    """

    RESERVE = 0.003
    """Of our calls of the window: so much is left free besides, that others find room."""
    TELLING = 20
    """So many calls, at the limit, tell how fast room appears."""

    def __init__(self, count: int, window: float) -> None:
        """``window`` is in seconds."""
        # seconds between two looks
        self._look = max(0.5, window / 120, min(window / 4, self.TELLING * window / count))
        self._last: tuple[float, int] | None = None
        self._appears = 0.0  # a second

    def rate(self, remaining: int, own: int, taken: int, now: float) -> float:
        """How many calls a second there is room for.

        ``own`` are our calls of the window, ``taken`` all that we ever took.
        """
        if self._last is None:
            self._last = now, remaining + taken
        passed = now - self._last[0]
        if passed >= self._look:
            self._appears = max(0.0, (remaining + taken - self._last[1]) / passed)
            self._last = now, remaining + taken
        return self._appears + (remaining - self.RESERVE * own) / (2 * self._look)
