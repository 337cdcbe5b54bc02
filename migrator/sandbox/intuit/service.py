"""Intuit put together, ready to be served."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from migrator.sandbox.http.rate_limits import RateLimits, in_force
from migrator.sandbox.http.service import Admission, Route, Service
from migrator.sandbox.intuit import discovery, migrate, reconnect, refresh, words
from migrator.sandbox.intuit.provider import Intuit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.sandbox.http.messages import Call
    from migrator.sandbox.http.rate_limits import Standing
    from migrator.sandbox.provider import Options
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.state_file import State

MIGRATE = "/v2/oauth2/tokens/migrate"
_ROUTES = (
    (MIGRATE, "POST", migrate.migrate),
    ("/api/v1/connection/reconnect", "GET", reconnect.reconnect),
    ("/oauth2/v1/tokens/bearer", "POST", refresh.refresh),
    ("/.well-known/openid_configuration/", "GET", discovery.configuration),
    ("/.well-known/openid_sandbox_configuration/", "GET", discovery.configuration),
)


def create_service(state: State, clock: Clock, options: Options) -> Service:
    """Intuit with what an open state file knows, and behaving as was chosen. Its own limits are unknown."""
    intuit = Intuit.opened(state, clock, options)
    return Service(
        routes=tuple(Route(path, (method,), partial(endpoint, intuit)) for path, method, endpoint in _ROUTES),
        pages=(),
        rate_limiter=RateLimits(clock, in_force((), options.limit), _tell),
        unavailable=words.unavailable,
        swaps=lambda call: call.path.lower() == MIGRATE.encode(),
    )


def _tell(_call: Call, standings: Sequence[Standing]) -> Admission:
    """Every answer has an id, those that are refused or made to fail included."""
    full = any(standing.full for standing in standings)
    return Admission(words.too_many_requests() if full else None, words.new_tid())
