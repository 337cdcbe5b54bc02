"""Tumblr put together, ready to be served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.rate_limits import RateLimits, in_force
from migrator.sandbox.http.service import Route, Service
from migrator.sandbox.tumblr import exchange, rate_limits, token, user, user_agent, words
from migrator.sandbox.tumblr.provider import Tumblr

if TYPE_CHECKING:
    from migrator.sandbox.provider import Options
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.state_file import State

EXCHANGE = "/v2/oauth2/exchange"
_ROUTES = (
    (EXCHANGE, "POST", exchange.exchange),
    ("/v2/oauth2/token", "POST", token.token),
    ("/v2/user/info", "GET", user.info),
)


def create_service(state: State, clock: Clock, options: Options) -> Service:
    """Tumblr with what an open state file knows, and behaving as was chosen."""
    tumblr = Tumblr.opened(state, clock, options)
    return Service(
        routes=tuple(
            Route(path, (method,), user_agent.required(endpoint, tumblr))
            for path, method, endpoint in _ROUTES
        ),
        pages=(),
        rate_limiter=RateLimits(clock, in_force(rate_limits.RULES, options.limit), rate_limits.tell),
        unavailable=words.unavailable,
        swaps=lambda call: call.path.lower() == EXCHANGE.encode(),
    )
