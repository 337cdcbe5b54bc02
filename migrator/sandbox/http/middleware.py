"""The desk in front of the endpoints: counts every call, limits them, and lets the ordered faults happen."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrator.sandbox.http.faults import Dice, Faults, Mishap
from migrator.sandbox.http.messages import Answer, Call, Refusal
from migrator.sandbox.oauth1.authentication import PROBLEM_CONTENT_TYPE
from migrator.sandbox.state.state_file import count, raise_to
from migrator.sandbox.xero.rate_limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.sandbox.http.late_calls import Later
    from migrator.sandbox.provider import Endpoint, Provider


class Desk:
    """Takes a call for an endpoint and says what goes back to the client."""

    def __init__(self, provider: Provider, faults: Faults, later: Later, seed: int | None) -> None:
        self._provider = provider
        self._faults = faults
        self._later = later
        self._dice = Dice(faults, seed)
        self._limits = Limits(provider, faults.limit)
        self._lock = threading.Lock()
        self._under_way = 0
        self._most = 0

    def handle(self, endpoint: Endpoint, call: Call) -> Answer | None:
        """The answer, or None where the connection is to be closed without one."""
        with self._counted_in(), self._limits.admitting(call) as admission:
            if admission.problem is None:
                answer = self._befallen(endpoint, call)
            else:
                answer = self._too_many(admission.problem, admission.retry_after)
            if self._faults.latency:
                time.sleep(self._faults.latency)
        return None if answer is None else answer.with_headers(admission.remaining)

    def _too_many(self, problem: str, retry_after: int) -> Answer:
        self._count("requests_refused_429", "status 429")
        headers = {"Retry-After": str(retry_after), "X-Rate-Limit-Problem": problem}
        return Answer.of_json(429, {"Title": "Too many requests", "Status": 429}, headers)

    def _befallen(self, endpoint: Endpoint, call: Call) -> Answer | None:
        mishap = self._dice.roll()
        if mishap is not Mishap.NONE:
            self._count(f"fault {mishap}")
        match mishap:
            case Mishap.NONE:
                return self._carry_out(endpoint, call)
            case Mishap.HTTP_503:
                self._count("status 503")
                return _unavailable(call)
            case Mishap.LATE:
                self._later.after(self._faults.late_delay, lambda: self._carry_out(endpoint, call))
                return None
            case Mishap.DROP_RESPONSE:
                self._carry_out(endpoint, call)
                return None
            case Mishap.GARBAGE:
                answer = self._carry_out(endpoint, call)
                return Answer(200, self._dice.garble(answer.body), answer.content_type)

    def _carry_out(self, endpoint: Endpoint, call: Call) -> Answer:
        try:
            answer = endpoint(self._provider, call)
        except Refusal as refusal:
            answer = refusal.answer
        self._count(f"status {answer.status}")
        return answer

    def _count(self, *names: str) -> None:
        with self._provider.state.writing() as db:
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
            with self._provider.state.writing() as db:
                raise_to(db, "max_concurrent", under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1


def _unavailable(call: Call) -> Answer:
    """On the OAuth 1.0a side the provider has a problem word for this status, on the other none."""
    if call.path.lower().startswith(b"/oauth/"):
        fields = {
            "oauth_problem": "rate limit exceeded",
            "oauth_problem_advice": "please wait before retrying",
        }
        return Answer.of_form(503, fields, PROBLEM_CONTENT_TYPE)
    return Answer(503, b"The service is unavailable.", "text/plain; charset=utf-8")
