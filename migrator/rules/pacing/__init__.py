"""When the next call may leave. Pure: clocks and chance are passed in.

- ``pacer``: all limits of a provider together, with what the job is told of them
- ``sliding``, ``calendar``: one limit, by the kind of its window
- ``window_count``: how many calls left lately
- ``header``: what the provider says is left; ``room``: of a window; ``bucket``: of tokens
- ``patience``: how long to wait after what went wrong
- ``wording``: limits in words
"""

from migrator.rules.pacing.moment import Moment
from migrator.rules.pacing.pacer import Pacer, Wait, share_to_leave
from migrator.rules.pacing.patience import (
    FIRST_BACKOFF,
    LONGEST_BACKOFF,
    LONGEST_PAUSE,
    backoff,
    unsaid_wait,
)
from migrator.rules.pacing.wording import limit_text, limits_text

__all__ = [
    "FIRST_BACKOFF",
    "LONGEST_BACKOFF",
    "LONGEST_PAUSE",
    "Moment",
    "Pacer",
    "Wait",
    "backoff",
    "limit_text",
    "limits_text",
    "share_to_leave",
    "unsaid_wait",
]
