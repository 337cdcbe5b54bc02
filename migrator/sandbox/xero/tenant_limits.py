"""How often one organisation may be called under ``/api.xro`` (protocol: *Limits*).

Always on, as at the real provider. Kept in memory only.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict, deque
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TYPE_CHECKING

from migrator.sandbox.http.limits import Permit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.sandbox.http.limits import SlidingWindow

CONCURRENT = 5
A_MINUTE = 60
A_DAY = 5000
MINUTE, DAY = 60.0, 86400.0
"""Seconds."""


@dataclass(frozen=True)
class TenantPermit:
    """Whether the organisation has room for a call, and for how many more."""

    problem: str | None
    """What ``X-Rate-Limit-Problem`` says where it has none; None: it has."""
    retry_after: int
    """Whole seconds until it has room again; 0 if it has now."""
    minute_remaining: int
    day_remaining: int


@dataclass
class _Tenant:
    passed: deque[float] = field(default_factory=deque)
    """When the calls of the last day came, oldest first."""
    under_way: int = 0


class TenantLimits:
    """Counts the calls of each organisation. Refused calls do not count."""

    def __init__(self) -> None:
        self._tenants: defaultdict[str, _Tenant] = defaultdict(_Tenant)
        self._lock = threading.Lock()

    @contextmanager
    def admitting(
        self, tenant_id: str, now: float, window: SlidingWindow
    ) -> Iterator[tuple[TenantPermit, Permit]]:
        """Let a call pass or not at ``now`` (seconds, never going back).

        It passes, and counts, where ``window``, the application's, has room for it too; the permit says so.
        """
        with self._lock:
            tenant = self._tenants[tenant_id.lower()]
            tenant_permit = _permit(tenant, now)
            if tenant_permit.problem is None:
                permit = window.acquire(now)
            else:
                permit = Permit(granted=False, remaining=window.left(now))
            if permit.granted:
                tenant.passed.append(now)
                tenant.under_way += 1
                tenant_permit = replace(
                    tenant_permit,
                    minute_remaining=tenant_permit.minute_remaining - 1,
                    day_remaining=tenant_permit.day_remaining - 1,
                )
        try:
            yield tenant_permit, permit
        finally:
            if permit.granted:
                with self._lock:
                    tenant.under_way -= 1


def _permit(tenant: _Tenant, now: float) -> TenantPermit:
    passed = tenant.passed
    while passed and passed[0] <= now - DAY:
        passed.popleft()
    today = len(passed)
    lately = sum(1 for _ in takewhile(lambda moment: moment > now - MINUTE, reversed(passed)))
    problem, free_at = None, now
    if today >= A_DAY:
        problem, free_at = "day", passed[0] + DAY
    elif lately >= A_MINUTE:
        problem, free_at = "minute", passed[-lately] + MINUTE
    elif tenant.under_way >= CONCURRENT:
        problem, free_at = "concurrent", now + 1
    wait = 0 if problem is None else max(1, math.ceil(free_at - now))
    return TenantPermit(problem, wait, max(0, A_MINUTE - lately), max(0, A_DAY - today))
