"""Dropbox put together, ready to be served."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from migrator.sandbox.dropbox import account, exchange, words
from migrator.sandbox.dropbox.provider import Dropbox
from migrator.sandbox.http.rate_limits import RateLimits, in_force
from migrator.sandbox.http.service import Admission, Route, Service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.sandbox.http.messages import Call
    from migrator.sandbox.http.rate_limits import Standing
    from migrator.sandbox.provider import Options
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.state_file import State

EXCHANGE = "/2/auth/token/from_oauth1"
_ROUTES = (
    (EXCHANGE, exchange.exchange),
    ("/2/auth/token/revoke", account.revoke),
    ("/2/users/get_current_account", account.current_account),
)


def create_service(state: State, clock: Clock, options: Options) -> Service:
    """Dropbox with what an open state file knows, and behaving as was chosen. Its own limits are unknown."""
    dropbox = Dropbox.opened(state, clock, options)
    return Service(
        routes=tuple(Route(path, ("POST",), partial(endpoint, dropbox)) for path, endpoint in _ROUTES),
        pages=(),
        rate_limiter=RateLimits(clock, in_force((), options.limit), _tell),
        unavailable=words.unavailable,
        swaps=lambda call: call.path.lower() == EXCHANGE.encode(),
        closed=words.retired,
    )


def _tell(_call: Call, standings: Sequence[Standing]) -> Admission:
    waits = [standing.more_in for standing in standings if standing.full]
    return Admission(words.too_many_requests(max(waits)) if waits else None)
