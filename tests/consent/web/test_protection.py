"""InvalidLinkLimit are counted, and browsers are told what a page may do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.consent.public_url import PublicUrl
from migrator.consent.web.protection.limits import INVALID_LINKS, InvalidLinkLimit
from migrator.consent.web.protection.prefetch import is_visit
from migrator.consent.web.protection.security_headers import security_headers


@pytest.mark.parametrize(
    ("headers", "visit"),
    [
        ({}, True),
        ({"Sec-Fetch-Dest": "document"}, True),
        ({"Sec-Fetch-Dest": "iframe"}, True),
        ({"Sec-Purpose": "prefetch"}, False),
        ({"Sec-Purpose": "prefetch;prerender"}, False),
        ({"Purpose": "prefetch"}, False),
        ({"X-Purpose": "preview"}, False),
        ({"X-Moz": "Prefetch"}, False),
        ({"Sec-Fetch-Dest": "empty"}, False),
        ({"Sec-Fetch-Dest": "image"}, False),
    ],
)
def test_what_is_fetched_in_advance_is_no_visit(headers: dict[str, str], visit: bool) -> None:
    assert is_visit("GET", headers.get) is visit
    assert not is_visit("HEAD", headers.get)


@given(st.lists(st.floats(0, 300, allow_nan=False), min_size=1, max_size=120))
def test_no_more_guesses_pass_in_any_minute(moments: list[float]) -> None:
    limit = InvalidLinkLimit()
    passed = [now for now in sorted(moments) if not limit.exceeded("198.51.100.1", now)]
    for moment in passed:
        assert len([one for one in passed if moment - 60 < one <= moment]) <= INVALID_LINKS


def test_guessers_are_told_apart_and_forgotten() -> None:
    limit = InvalidLinkLimit()
    assert [limit.exceeded("2001:db8::1", 0) for _ in range(INVALID_LINKS + 1)][-2:] == [False, True]
    assert limit.exceeded("2001:db8::2", 1), "whoever has one address has the whole network"
    assert not limit.exceeded("2001:db8:1::1", 1)
    assert limit.exceeded("[2001:db8::3]:1234", 1), "a proxy may name the port"
    for number in range(INVALID_LINKS + 1):
        assert not limit.exceeded(f"::ffff:10.0.0.{number}", 1), "these are addresses of IPv4"
    for number in range(INVALID_LINKS):
        limit.exceeded(f"10.1.1.1:{number}", 1)
    assert limit.exceeded("10.1.1.1:9", 1)
    assert not limit.exceeded("2001:db8::1", 62)
    for number in range(20_000):
        limit.exceeded(str(number), 100)
    assert len(limit._seen) <= 10_000


def test_strict_transport_is_asked_for_only_over_https() -> None:
    told = security_headers(PublicUrl("https://connect.example.com"))
    assert told["Strict-Transport-Security"].startswith("max-age=")
    assert "Strict-Transport-Security" not in security_headers(PublicUrl("http://localhost:8766"))
