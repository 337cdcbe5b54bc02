"""The limits of one organisation: with the time passed in, and over HTTP."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from requests import Response

from migrator.sandbox.http.faults import Faults
from migrator.sandbox.http.late_calls import LateCalls
from migrator.sandbox.http.limits import Limit, Permit, SlidingWindow
from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.http.middleware import Middleware
from migrator.sandbox.provider import Options
from migrator.sandbox.state.clock import Clock
from migrator.sandbox.state.state_file import State
from migrator.sandbox.xero.authorisation_server import Xero
from migrator.sandbox.xero.organisation import organisation
from migrator.sandbox.xero.service import create_service
from migrator.sandbox.xero.tenant_limits import TenantLimits, TenantPermit
from tests.sandbox.application import Row
from tests.sandbox.conftest import Start
from tests.sandbox.support import Client, Pair

CALL = Call("GET", b"/API.xro/2.0/Organisation", "localhost", {"xero-tenant-id": "t"})


def unlimited() -> SlidingWindow:
    """An application's limit that nobody reaches."""
    return SlidingWindow(Limit(10**6, 60.0))


def told(
    limits: TenantLimits, now: float, tenant_id: str = "t", window: SlidingWindow | None = None
) -> TenantPermit:
    """What a call that ends at once is told."""
    with limits.admitting(tenant_id, now, window or unlimited()) as (tenant_permit, _permit):
        return tenant_permit


def test_sixty_a_minute() -> None:
    limits = TenantLimits()
    permits = [told(limits, n / 10) for n in range(60)]
    assert [tenant_permit.minute_remaining for tenant_permit in permits] == list(range(59, -1, -1))
    assert {tenant_permit.problem for tenant_permit in permits} == {None}
    assert told(limits, 30.5) == TenantPermit("minute", 30, 0, 4940)
    assert told(limits, 59.9) == TenantPermit("minute", 1, 0, 4940)
    assert told(limits, 60.0) == TenantPermit(None, 0, 0, 4939)  # refused calls did not count
    assert told(limits, 60.0, "other") == TenantPermit(None, 0, 59, 4999)


def test_five_thousand_a_day() -> None:
    limits = TenantLimits()
    for n in range(5000):
        assert told(limits, n * 2.0).problem is None
    assert told(limits, 80_000.0) == TenantPermit("day", 6400, 60, 0)
    assert told(limits, 86_400.0) == TenantPermit(None, 0, 59, 0)
    assert told(limits, 86_400.0).problem == "day"


def test_five_at_once() -> None:
    limits = TenantLimits()
    with ExitStack() as stack:
        for _ in range(5):
            tenant_permit, _permit = stack.enter_context(limits.admitting("T", 0.0, unlimited()))
            assert tenant_permit.problem is None
        for _ in range(2):
            assert told(limits, 0.0) == TenantPermit("concurrent", 1, 55, 4995)
        assert told(limits, 0.0, "other").problem is None
    assert told(limits, 0.0).problem is None


def test_a_call_counts_with_organisation_and_application_or_with_neither() -> None:
    limits, window = TenantLimits(), SlidingWindow(Limit(61, 60.0))
    for _ in range(60):
        told(limits, 0.0, window=window)
    with limits.admitting("t", 1.0, window) as (tenant_permit, permit):
        assert (tenant_permit.problem, permit) == ("minute", Permit(granted=False, remaining=1))
    with limits.admitting("other", 2.0, window) as (tenant_permit, permit):
        assert (tenant_permit.problem, tenant_permit.minute_remaining, permit.remaining) == (None, 59, 0)
    with ExitStack() as stack:
        for _ in range(6):  # nor does a refused call hold a place
            tenant_permit, permit = stack.enter_context(limits.admitting("other", 3.0, window))
            assert tenant_permit == TenantPermit(None, 0, 59, 4999)
            assert permit == Permit(granted=False, remaining=0, retry_after=57)
    assert told(limits, 60.0, "other", window) == TenantPermit(None, 0, 58, 4998)


def test_what_names_no_organisation_has_no_such_limit(client: Client, pair: Pair) -> None:
    for headers in ({}, {"xero-tenant-id": "t"}):
        answer = client.session.get(f"{client.base_url}/connections", headers=headers)
        assert "X-MinLimit-Remaining" not in answer.headers
    assert "X-MinLimit-Remaining" not in client.organisation(pair["access_token"], "").headers


def test_over_http_the_minute_is_kept_and_the_clock_refills_it(
    client: Client, partner: Row, pair: Pair
) -> None:
    answers = [client.organisation(pair["access_token"], partner["tenant_id"]) for _ in range(61)]
    assert [answer.status_code for answer in answers] == [200] * 60 + [429]
    assert (answers[0].headers["X-MinLimit-Remaining"], answers[0].headers["X-DayLimit-Remaining"]) == (
        "59",
        "4999",
    )
    refused = answers[60].headers
    assert refused["X-Rate-Limit-Problem"] == "minute"
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert (refused["X-MinLimit-Remaining"], refused["X-DayLimit-Remaining"]) == ("0", "4940")
    left = [answer.headers["X-AppMinLimit-Remaining"] for answer in answers]
    assert left == [str(n) for n in (*range(9998, 9938, -1), 9939)]  # the first call was the swap
    facts = client.stats()
    assert (facts["requests_refused_429"], facts["requests"]["429"]) == (1, 1)
    assert client.connections(pair["access_token"]).status_code == 200
    client.advance(60)
    assert client.organisation(pair["access_token"], partner["tenant_id"]).status_code == 200


def test_a_legacy_token_shares_the_limit_of_its_organisation(
    client: Client, partner: Row, pair: Pair
) -> None:
    def left(answer: Response) -> str:
        return answer.headers["X-MinLimit-Remaining"]

    assert left(client.organisation_signed(partner)) == "59"
    assert left(client.organisation(pair["access_token"], partner["tenant_id"])) == "58"
    # It needs no naming, and another name does not help it.
    assert left(client.organisation_signed(partner, headers={"xero-tenant-id": "other"})) == "57"
    for malformed in ("OAuth x", "OAuth oauth_token=unknown"):
        refused = client.session.get(
            f"{client.base_url}/api.xro/2.0/Organisation", headers={"Authorization": malformed}
        )
        assert refused.status_code == 400
        assert "X-MinLimit-Remaining" not in refused.headers
    statuses = [client.organisation_signed(partner).status_code for _ in range(58)]
    assert statuses == [200] * 57 + [429]


def test_the_middleware_holds_a_place_until_the_answer_is_ready(state: Path) -> None:
    with closing(State(state)) as opened, closing(LateCalls()) as late_calls:
        clock, options = Clock(opened), Options()
        endpoint = partial(organisation, Xero.opened(opened, clock, options))
        service = create_service(opened, clock, options)
        middleware = Middleware(service, opened, Faults(), late_calls, None)
        inside, leave = threading.Barrier(6), threading.Event()

        def wait(_call: Call) -> Answer:
            inside.wait(timeout=30)
            leave.wait(timeout=30)
            return Answer.of_json(200, {})

        threads = [threading.Thread(target=middleware.handle, args=(wait, CALL)) for _ in range(5)]
        for thread in threads:
            thread.start()
        inside.wait(timeout=30)
        refused = middleware.handle(endpoint, CALL)
        leave.set()
        for thread in threads:
            thread.join()
        assert refused is not None
        assert (refused.status, refused.headers["X-Rate-Limit-Problem"]) == (429, "concurrent")
        assert refused.headers["Retry-After"] == "1"
        let_in = middleware.handle(endpoint, CALL)
        assert let_in is not None
        assert let_in.status == 401


def test_the_applications_limit_holds_here_too(start: Start, partner: Row) -> None:
    client = start("limit=2/min")
    token = client.swap(partner).json()["access_token"]
    passed, refused = (client.organisation(token, partner["tenant_id"]) for _ in range(2))
    assert (passed.headers["X-AppMinLimit-Remaining"], passed.headers["X-MinLimit-Remaining"]) == ("0", "59")
    assert (refused.status_code, refused.headers["X-Rate-Limit-Problem"]) == (429, "appminute")
    left = [refused.headers[f"X-{name}Limit-Remaining"] for name in ("AppMin", "Min", "Day")]
    assert left == ["0", "59", "4999"]
    client.advance(60)
    assert client.organisation(token, partner["tenant_id"]).headers["X-DayLimit-Remaining"] == "4998"
