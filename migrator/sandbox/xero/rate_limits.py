"""Whether a call is let in: where application and organisation both have room for it (protocol: *Limits*)."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.sandbox.http.faults import Limit
from migrator.sandbox.http.limits import SlidingWindow
from migrator.sandbox.xero import organisation
from migrator.sandbox.xero.tenant_limits import TenantLimits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.sandbox.http.limits import Room
    from migrator.sandbox.http.messages import Call
    from migrator.sandbox.provider import Provider
    from migrator.sandbox.xero.tenant_limits import Visit

APPLICATION = Limit(10_000, 60.0, "appminute")
"""Xero's limit for an application as a whole; holds where no other is ordered."""
_OF_ORGANISATIONS = b"/api.xro/"
"""The paths of calls that are made to one organisation begin so."""
_INTUITS = b"/v2/"
"""Intuit's paths begin so. Xero's limits are not Intuit's, of which none is known."""


@dataclass(frozen=True)
class Admission:
    """Whether a call is let in, and what its answer says of further ones."""

    problem: str | None = None
    """What ``X-Rate-Limit-Problem`` says of a call that is not; None: it is."""
    retry_after: int = 0
    """Whole seconds until one would be let in again; 0 if this one is."""
    remaining: Mapping[str, str] = field(default_factory=dict)
    """The headers that say how many more calls would be let in now."""


class Limits:
    """Counts the calls of the application and of each organisation. Refused calls count with neither."""

    def __init__(self, provider: Provider, ordered: Limit | None) -> None:
        """``ordered``: the application's limit, in the place of the usual one."""
        self._provider = provider
        self._ordered = ordered is not None
        self._window = SlidingWindow(ordered or APPLICATION)
        self._tenants = TenantLimits()

    @contextmanager
    def admitting(self, call: Call) -> Iterator[Admission]:
        """Let a call in or not; it is in until the context ends."""
        path = call.path.lower()
        if path.startswith(_INTUITS) and not self._ordered:
            yield Admission()
            return
        tenant_id = organisation.tenant_id(self._provider, call) if path.startswith(_OF_ORGANISATIONS) else ""
        now = self._provider.clock.ticks()
        if tenant_id:
            with self._tenants.visiting(tenant_id, now, self._window) as (visit, room):
                yield self._of_organisation(visit, room)
        else:
            yield self._of_application(self._window.take(now))

    def _of_application(self, room: Room) -> Admission:
        remaining = {"X-AppMinLimit-Remaining": str(room.remaining)}
        if room.granted:
            return Admission(remaining=remaining)
        return Admission(self._window.limit.problem, room.retry_after, remaining)

    def _of_organisation(self, visit: Visit, room: Room) -> Admission:
        of_application = self._of_application(room)
        remaining = {
            **of_application.remaining,
            "X-MinLimit-Remaining": str(visit.minute_remaining),
            "X-DayLimit-Remaining": str(visit.day_remaining),
        }
        refused = of_application if visit.problem is None else visit
        return Admission(refused.problem, refused.retry_after, remaining)
