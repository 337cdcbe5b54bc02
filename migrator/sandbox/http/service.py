"""What a provider puts behind HTTP: which path is answered by what, and what it says before it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from migrator.sandbox.http.messages import Answer, Call

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

Endpoint = Callable[[Call], Answer]
"""Carries a call out and answers it, in one transaction; raises ``Refusal`` to say no."""


@dataclass(frozen=True)
class Route:
    """An endpoint and where it is."""

    path: str
    """In lower case, whatever the case of a call's; ``<name>`` stands for any one segment."""
    methods: tuple[str, ...]
    endpoint: Endpoint


@dataclass(frozen=True)
class Admission:
    """Whether a rate limiter lets a call in, and what the answer says of further ones."""

    refusal: Answer | None = None
    """The answer to a call that is not let in; None: it is."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the answer in either case: how many more calls would be let in now."""


class RateLimiter(Protocol):
    """Lets calls in or not."""

    def admitting(self, call: Call) -> AbstractContextManager[Admission]:
        """Let a call in or not; it is under way until the context ends."""


def gone(_call: Call) -> Answer:
    """What a closed exchange says where nobody knows what the provider's own does: it is gone for good."""
    return Answer.of_json(410, {"error": "gone", "message": "This endpoint has been retired."})


@dataclass(frozen=True, kw_only=True)
class Service:
    """One provider, as the web application and the middleware in front of it see it."""

    routes: tuple[Route, ...]
    """What applications call."""
    pages: tuple[Route, ...]
    """What people look at: no fault and no limit concerns these, and the witness does not count them."""
    rate_limiter: RateLimiter
    unavailable: Callable[[Call], Answer]
    """What a call is answered that a 503 is injected into."""
    swaps: Callable[[Call], bool]
    """Whether a call asks for a swap."""
    closed: Callable[[Call], Answer] = gone
    """What such a call is answered once the exchange is closed."""
