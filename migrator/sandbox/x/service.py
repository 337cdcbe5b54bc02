"""X put together, ready to be served."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from migrator.sandbox.http.rate_limits import RateLimits, in_force
from migrator.sandbox.http.service import Route, Service
from migrator.sandbox.x import me, rate_limits, revocation, token, words
from migrator.sandbox.x.provider import X

if TYPE_CHECKING:
    from migrator.sandbox.provider import Options
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.state_file import State

_ROUTES = (
    ("/2/oauth2/token", "POST", token.token),
    ("/2/oauth2/revoke", "POST", revocation.revoke),
    ("/2/users/me", "GET", me.me),
)


def create_service(state: State, clock: Clock, options: Options) -> Service:
    """X with what an open state file knows, and behaving as was chosen."""
    x = X.opened(state, clock, options)
    return Service(
        routes=tuple(Route(path, (method,), partial(endpoint, x)) for path, method, endpoint in _ROUTES),
        pages=(),
        rate_limiter=RateLimits(clock, in_force(rate_limits.RULES, options.limit), rate_limits.tell),
        unavailable=words.unavailable,
        swaps=token.is_exchange,
    )
