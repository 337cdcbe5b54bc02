"""Vimeo put together, ready to be served."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from migrator.sandbox.http.rate_limits import RateLimits, in_force
from migrator.sandbox.http.service import Admission, Route, Service
from migrator.sandbox.vimeo import exchange, user, words
from migrator.sandbox.vimeo.provider import Vimeo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.sandbox.http.messages import Call
    from migrator.sandbox.http.rate_limits import Standing
    from migrator.sandbox.provider import Options
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.state_file import State

EXCHANGE = "/oauth/authorize/vimeo_oauth1"
_ROUTES = (
    (EXCHANGE, "POST", exchange.exchange),
    ("/oauth/verify", "GET", user.verify),
    ("/tokens", "DELETE", user.revoke),
)


def create_service(state: State, clock: Clock, options: Options) -> Service:
    """Vimeo with what an open state file knows, and behaving as was chosen. Its own limits are unknown."""
    vimeo = Vimeo.opened(state, clock, options)
    return Service(
        routes=tuple(Route(path, (method,), partial(endpoint, vimeo)) for path, method, endpoint in _ROUTES),
        pages=(),
        rate_limiter=RateLimits(clock, in_force((), options.limit), _tell),
        unavailable=words.unavailable,
        swaps=lambda call: call.path.lower() == EXCHANGE.encode(),
    )


def _tell(_call: Call, standings: Sequence[Standing]) -> Admission:
    full = any(standing.full for standing in standings)
    return Admission(words.too_many_requests() if full else None)
