"""Garmin put together, ready to be served."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from migrator.sandbox.garmin import confirmation, token, token_exchange, user, words
from migrator.sandbox.garmin.provider import Garmin
from migrator.sandbox.http.rate_limits import RateLimits, in_force
from migrator.sandbox.http.service import Admission, Route, Service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.sandbox.http.messages import Call
    from migrator.sandbox.http.rate_limits import Standing
    from migrator.sandbox.provider import Options
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.state_file import State

EXCHANGE = "/partner-gateway/rest/user/token-exchange"
_ROUTES = (
    (EXCHANGE, "POST", token_exchange.token_exchange),
    ("/partner-gateway/rest/user/registration", "DELETE", user.deregister),
    ("/wellness-api/rest/user/id", "GET", user.user_id),
    ("/di-oauth2-service/oauth/token", "POST", token.token),
)


def create_service(state: State, clock: Clock, options: Options) -> Service:
    """Garmin with what an open state file knows, and behaving as was chosen."""
    garmin = Garmin.opened(state, clock, options)
    return Service(
        routes=tuple(Route(path, (method,), partial(endpoint, garmin)) for path, method, endpoint in _ROUTES),
        pages=(Route("/oauth2confirm", ("GET", "POST"), partial(confirmation.confirm, garmin)),),
        rate_limiter=RateLimits(clock, in_force((), options.limit), _tell),  # none is known of Garmin
        unavailable=words.unavailable,
        swaps=lambda call: call.path.lower() == EXCHANGE.encode(),
    )


def _tell(_call: Call, standings: Sequence[Standing]) -> Admission:
    full = any(standing.full for standing in standings)
    return Admission(words.too_many_requests() if full else None)
