"""The middleware in front of the endpoints: counts calls, limits them, and injects the ordered faults."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from migrator.sandbox.http.fault_injection import CallFault, FaultInjector
from migrator.sandbox.http.messages import Answer, Call, Refusal
from migrator.sandbox.state.state_file import count, raise_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.sandbox.http.faults import Faults
    from migrator.sandbox.http.late_calls import LateCalls
    from migrator.sandbox.http.service import Endpoint, Service
    from migrator.sandbox.state.state_file import State


class Middleware:
    """Takes a call for an endpoint and says what goes back to the client."""

    def __init__(
        self, service: Service, state: State, faults: Faults, late_calls: LateCalls, seed: int | None
    ) -> None:
        self._service = service
        self._state = state
        self._latency = faults.latency
        self._exchange_closed = faults.exchange_closed
        self._injector = FaultInjector(faults, seed)
        self._late_calls = late_calls
        self._lock = threading.Lock()
        self._under_way = 0
        self._most = 0

    def handle(self, endpoint: Endpoint, call: Call) -> Answer | None:
        """The answer, or None where the connection is to be closed without one."""
        with self._counted_in(), self._service.rate_limiter.admitting(call) as admission:
            if admission.refusal is None:
                answer = self._with_fault(endpoint, call)
            else:
                answer = admission.refusal
                self._count("requests_refused_429", f"status {answer.status}")
            if self._latency:
                time.sleep(self._latency)
        return None if answer is None else answer.with_headers(admission.headers)

    def _with_fault(self, endpoint: Endpoint, call: Call) -> Answer | None:
        fault = self._injector.choose()
        if fault is not CallFault.NONE:
            self._count(f"fault {fault}")
        carry_out, refuse = partial(self._carry_out, endpoint, call), partial(self._refuse, call)
        return self._injector.inject(fault, carry_out, refuse, self._late_calls)

    def _carry_out(self, endpoint: Endpoint, call: Call) -> Answer:
        if self._exchange_closed and self._service.swaps(call):
            endpoint = self._service.closed
        try:
            answer = endpoint(call)
        except Refusal as refusal:
            answer = refusal.answer
        self._count(f"status {answer.status}")
        return answer

    def _refuse(self, call: Call) -> Answer:
        answer = self._service.unavailable(call)
        self._count(f"status {answer.status}")
        return answer

    def _count(self, *names: str) -> None:
        with self._state.writing() as db:
            for name in names:
                count(db, name)

    @contextmanager
    def _counted_in(self) -> Iterator[None]:
        with self._lock:
            self._under_way += 1
            more_than_ever = self._under_way > self._most
            self._most = max(self._most, self._under_way)
            under_way = self._under_way
        if more_than_ever:
            with self._state.writing() as db:
                raise_to(db, "max_concurrent", under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1
