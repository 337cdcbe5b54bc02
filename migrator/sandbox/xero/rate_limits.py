"""Whether a call is let in: where application and organisation both have room for it (protocol: *Limits*)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.sandbox.http.limits import Limit, SlidingWindow
from migrator.sandbox.http.service import Admission
from migrator.sandbox.xero import organisation, words
from migrator.sandbox.xero.tenant_limits import DAY, TenantLimits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.sandbox.http.limits import Permit
    from migrator.sandbox.http.messages import Call
    from migrator.sandbox.xero.authorisation_server import Xero
    from migrator.sandbox.xero.tenant_limits import TenantPermit

APPLICATION = Limit(10_000, 60.0)
"""Xero's limit for an application as a whole; holds where no other is ordered."""
_OF_ORGANISATIONS = b"/api.xro/"
"""The paths of calls that are made to one organisation begin so."""
_INTUITS = b"/v2/"
"""Intuit's paths begin so. Xero's limits are not Intuit's, of which none is known."""


class XeroRateLimiter:
    """Counts the calls of the application and of each organisation. Refused calls count with neither."""

    def __init__(self, xero: Xero, ordered: Limit | None) -> None:
        """``ordered``: the application's limit, in the place of the usual one."""
        self._xero = xero
        self._ordered = ordered is not None
        self._window = SlidingWindow(ordered or APPLICATION)
        self._problem = application_problem(self._window.limit)
        self._tenants = TenantLimits()

    @contextmanager
    def admitting(self, call: Call) -> Iterator[Admission]:
        """Let a call in or not; it is in until the context ends."""
        path = call.path.lower()
        if path.startswith(_INTUITS) and not self._ordered:
            yield Admission()
            return
        tenant_id = organisation.tenant_id(self._xero, call) if path.startswith(_OF_ORGANISATIONS) else ""
        now = self._xero.clock.ticks()
        if tenant_id:
            with self._tenants.admitting(tenant_id, now, self._window) as (tenant_permit, permit):
                yield self._of_organisation(tenant_permit, permit)
        else:
            yield self._of_application(self._window.acquire(now))

    def _of_application(self, permit: Permit) -> Admission:
        remaining = {"X-AppMinLimit-Remaining": str(permit.remaining)}
        if permit.granted:
            return Admission(headers=remaining)
        return Admission(words.too_many_requests(self._problem, permit.retry_after), remaining)

    def _of_organisation(self, tenant_permit: TenantPermit, permit: Permit) -> Admission:
        of_application = self._of_application(permit)
        remaining = {
            **of_application.headers,
            "X-MinLimit-Remaining": str(tenant_permit.minute_remaining),
            "X-DayLimit-Remaining": str(tenant_permit.day_remaining),
        }
        if tenant_permit.problem is None:
            return Admission(of_application.refusal, remaining)
        refusal = words.too_many_requests(tenant_permit.problem, tenant_permit.retry_after)
        return Admission(refusal, remaining)


def application_problem(limit: Limit) -> str:
    """What ``X-Rate-Limit-Problem`` says when the application's limit is reached."""
    return "day" if limit.seconds == DAY else "appminute"
