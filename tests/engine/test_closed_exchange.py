"""A run against an exchange that is closed stops before its first call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from migrator.engine.closed_exchange import require_open
from migrator.errors import StoppedError
from migrator.providers import Profile, find_profile, profile_names
from migrator.providers.facts import Dated
from tests.providers.support import acme

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", profile_names())
def test_what_is_closed_is_told_and_what_is_open_is_not(name: str) -> None:
    if name not in ("xero", "intuit"):
        require_open(find_profile(name), NOW)
        return
    with pytest.raises(StoppedError) as caught:
        require_open(find_profile(name), NOW)
    assert find_profile(name).title in caught.value.message
    assert "nothing was sent" in caught.value.hint
    assert ("reconsent" in caught.value.hint) is (name == "xero")


@pytest.mark.parametrize(
    ("base_url", "closed"),
    [
        ("http://127.0.0.1:8765", False),
        ("http://localhost", False),
        ("http://[::1]:1", False),
        ("https://127.0.0.1.example", True),
        ("https://mirror.example", True),
    ],
)
def test_a_rehearsal_on_this_machine_is_no_call_to_the_provider(base_url: str, closed: bool) -> None:
    profile = find_profile("xero", base_url=base_url)
    if closed:
        with pytest.raises(StoppedError):
            require_open(profile, NOW)
    else:
        require_open(profile, NOW)


@pytest.mark.parametrize(
    ("now", "closed"),
    [
        (datetime(2026, 11, 26, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 27, 23, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 29, 0, tzinfo=UTC), True),
    ],
)
def test_the_last_day_is_a_day(now: datetime, closed: bool) -> None:
    profile = Profile(replace(acme().facts, closes=Dated(date(2026, 11, 27))))
    if closed:
        with pytest.raises(StoppedError, match="2026-11-27"):
            require_open(profile, now)
    else:
        require_open(profile, now)
