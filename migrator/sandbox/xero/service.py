"""Xero put together, ready to be served."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from migrator.sandbox.http.service import Route, Service
from migrator.sandbox.xero import words
from migrator.sandbox.xero.authorisation_server import Xero
from migrator.sandbox.xero.rate_limits import XeroRateLimiter
from migrator.sandbox.xero.routes import PAGES, ROUTES, SWAPS

if TYPE_CHECKING:
    from migrator.sandbox.provider import Options
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.state_file import State


def create_service(state: State, clock: Clock, options: Options) -> Service:
    """Xero with what an open state file knows, and behaving as was chosen."""
    xero = Xero.opened(state, clock, options)
    return Service(
        routes=tuple(
            Route(path, methods, partial(words.answer, partial(endpoint, xero)))
            for path, methods, endpoint in ROUTES
        ),
        pages=tuple(Route(path, ("GET", "POST"), partial(endpoint, xero)) for path, endpoint in PAGES),
        rate_limiter=XeroRateLimiter(xero, options.limit),
        unavailable=words.unavailable,
        swaps=lambda call: call.path.lower().decode(errors="replace") in SWAPS,
    )
