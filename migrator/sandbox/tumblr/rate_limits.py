"""Tumblr's limits, which all calls share, and its 429, which does not say when to come again.

The sandbox has one application, so all calls are one consumer key's. Its day is known to be a calendar day.
The other windows slide: nobody knows that of them, but it is the stricter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.limits import Limit
from migrator.sandbox.http.rate_limits import Rule
from migrator.sandbox.http.service import Admission
from migrator.sandbox.tumblr import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.sandbox.http.messages import Call
    from migrator.sandbox.http.rate_limits import Standing

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


def _address(call: Call) -> str:
    return call.address


RULES = (
    Rule(Limit(1_000, _HOUR)),
    Rule(Limit(5_000, _DAY), calendar=True),
    Rule(Limit(300, _MINUTE), _address),
    Rule(Limit(18_000, _HOUR), _address),
    Rule(Limit(432_000, _DAY), _address),
)


def tell(_call: Call, standings: Sequence[Standing]) -> Admission:
    """A refusal where a limit is reached; nothing of what is left."""
    full = any(standing.full for standing in standings)
    return Admission(words.error(429, "The limit of requests is exceeded.").answer if full else None)
