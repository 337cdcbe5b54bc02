"""How long to wait after what went wrong, and how long at the most.

Pure: chance is passed in.
"""

from __future__ import annotations

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
LONGEST_PAUSE = 900.0
"""Seconds that a job waits with nothing else to do; for longer pauses it ends, to be resumed."""
LOOK_AGAIN = 0.02
"""Seconds until somebody looks again whether a call has ended."""


def backoff(tries: int, jitter: float) -> float:
    """Seconds to wait after that many fruitless calls: exponential with full jitter, so that many who failed
    together do not come back together.

    ``jitter`` is a random number from 0 to 1.
    """
    return jitter * min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(tries, 16))


def unsaid_wait(times: int) -> float:
    """Seconds that everybody waits where a provider says that its limit is reached, and not for how long.

    ``times`` is how often it said so since the last good answer.
    """
    return min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(times - 1, 16))
