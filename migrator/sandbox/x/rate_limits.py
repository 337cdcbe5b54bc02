"""X's limit of exchanges, and how its answers tell of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from migrator.sandbox.http.limits import Limit
from migrator.sandbox.http.rate_limits import Rule
from migrator.sandbox.http.service import Admission
from migrator.sandbox.x import words
from migrator.sandbox.x.token import is_exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.sandbox.http.messages import Call
    from migrator.sandbox.http.rate_limits import Standing


def _address_of_exchange(call: Call) -> str | None:
    return call.address if is_exchange(call) else None


RULES = (Rule(Limit(10_000, 900.0), _address_of_exchange),)
"""10,000 exchanges in 15 minutes for an application and the address that it calls from."""


def tell(_call: Call, standings: Sequence[Standing]) -> Admission:
    """What the answer says of further exchanges; a call that is no exchange is told nothing."""
    if not standings:
        return Admission()
    (standing,) = standings
    headers = {
        "x-rate-limit-limit": str(standing.limit.calls),
        "x-rate-limit-remaining": str(standing.remaining),
        "x-rate-limit-reset": str(math.ceil(standing.more_at)),
    }
    if not standing.full:
        return Admission(headers=headers)
    return Admission(words.error("rate_limited", "Too many requests.", 429).answer, headers)
