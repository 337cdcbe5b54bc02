"""What single shapes have that no other has, each at its own small server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from migrator.models import Action
from tests.shapes.journey import Journey, journey
from tests.shapes.providers import Concur, Etsy, Fitbit, Google, Pipedrive, Slack, Withings, Zid, Zoho
from tests.shapes.server import Provider

P = TypeVar("P", bound=Provider)
SetOut = Callable[[Provider, int], Journey]


@pytest.fixture
def set_out(tmp_path: Path) -> Iterator[SetOut]:
    """Begins a journey from a provider with so many users, ``u0``, ``u1`` and so on."""
    with ExitStack() as stack:

        def begin(provider: Provider, users: int) -> Journey:
            way = stack.enter_context(journey(tmp_path / "way", provider))
            way.write([provider.issue(f"u{number}") for number in range(users)])
            return way

        yield begin


def pass_seconds(way: Journey, seconds: float) -> None:
    """Let time pass for both."""
    way.passed += seconds
    way.provider.ahead += seconds


@pytest.mark.parametrize("provider", [Google, Concur])
def test_a_refresh_token_that_came_alone_is_on_disk_before_it_is_used(
    set_out: SetOut, provider: type[Provider]
) -> None:
    way = set_out(provider(), 3)
    way.kill_at("after commit", Action.SWAP, 2, "run", "tokens.csv", "--concurrency", "1")
    assert way.attempts("u1") == [("swap", "done", "")]
    assert way.standing()["u1"] == ("uncertain", "unverified_pair")
    assert way.provider.refresh, "the one is there that was stored"
    pass_seconds(way, 60)
    way.done("resume")
    assert set(way.standing().values()) == {("migrated", "")}
    assert way.provider.asked["u1"] == 1, "the refresh token that was stored is the one that goes on"
    refreshed = way.exported()["u1"]["refresh_token"]
    assert way.provider.refresh[refreshed] == "u1"
    assert way.provider.unexpected == []


def test_a_refresh_that_died_is_made_again_with_the_refresh_token_that_is_stored(set_out: SetOut) -> None:
    way = set_out(Google(), 2)
    way.kill_at("after answer", Action.REFRESH, 1, "run", "tokens.csv", "--concurrency", "1")
    pass_seconds(way, 60)
    way.done("resume")
    assert set(way.standing().values()) == {("migrated", "")}
    assert way.provider.asked == {"u0": 1, "u1": 1}


def test_a_token_that_serves_once_is_not_asked_with_again_after_a_kill(set_out: SetOut) -> None:
    way = set_out(Pipedrive(), 3)
    way.kill_at("after answer", Action.SWAP, 2, "run", "tokens.csv", "--concurrency", "1")
    pass_seconds(way, 60)
    way.done("resume")
    others = ("migrated", "")
    assert way.standing() == {"u0": others, "u1": ("needs_consent", "response_lost"), "u2": others}
    assert way.provider.asked == {"u0": 1, "u1": 1, "u2": 1}


def test_one_that_was_exchanged_elsewhere_is_said_to_be(set_out: SetOut) -> None:
    slack = Slack()
    way = set_out(slack, 4)
    slack.done.add(slack.token_of("u2"))
    way.done("run", "tokens.csv")
    assert way.standing()["u2"] == ("needs_consent", "already_exchanged")
    assert way.attempts("u2")[-1] == ("swap", "over", "token_already_exchanged")
    assert "u2" in way.done("reconsent", "list").stdout


def test_a_limit_under_status_200_is_waited_for(set_out: SetOut) -> None:
    withings = Withings()
    way = set_out(withings, 2)
    withings.over_limit = 1
    way.done("run", "tokens.csv")
    assert set(way.standing().values()) == {("migrated", "")}
    assert ("swap", "later", "rate_limited") in way.attempts("u0") + way.attempts("u1")


def test_a_legacy_token_that_has_died_since_tells_that_its_lost_call_took_effect(set_out: SetOut) -> None:
    zid = Zid()
    way = set_out(zid, 2)
    way.kill_at("after answer", Action.SWAP, 1, "run", "tokens.csv", "--concurrency", "1")
    pass_seconds(way, 4 * 86400)
    way.done("resume")
    assert way.standing() == {"u0": ("needs_consent", "response_lost"), "u1": ("migrated", "")}
    assert "3 days" in way.done("providers", "profiles/zid.toml").stdout


def test_two_limits_are_kept_together(set_out: SetOut) -> None:
    zoho = Zoho()
    # As the minute and the hour, in a time that a test has. The client stays below a limit by a hundredth of
    # its window, which is less than a call's way may take here.
    zoho.windows = ((8, 0.9), (20, 3.6))
    way = set_out(zoho, 30)
    profile = way.folder / "profiles" / "zoho.toml"
    text = profile.read_text("utf-8")
    text = text.replace('count = 60\nwindow = "1m"', 'count = 8\nwindow = "1s"')
    profile.write_text(text.replace('count = 100\nwindow = "1h"', 'count = 20\nwindow = "4s"'), "utf-8")
    way.done("run", "tokens.csv")
    assert (len(zoho.exchanges), zoho.over_limit) == (30, 0)
    assert set(way.standing().values()) == {("migrated", "")}


def test_a_limit_of_an_hour_that_is_used_up_ends_the_job_with_the_time_to_resume(set_out: SetOut) -> None:
    zoho = Zoho()
    way = set_out(zoho, 2)
    way.done("run", "tokens.csv", "--limit", "1")
    earlier = (datetime.now(UTC) - timedelta(minutes=20)).isoformat()
    way.alter(_NINETY_NINE_MORE, earlier, earlier)
    stopped = way.done("resume", code=3)
    assert "limit" in stopped.stderr
    assert "resume" in stopped.stderr
    assert len(zoho.exchanges) == 1
    pass_seconds(way, 3600)
    way.done("resume")
    assert set(way.standing().values()) == {("migrated", "")}


_NINETY_NINE_MORE = """
    WITH RECURSIVE counted(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM counted WHERE number < 99)
    INSERT INTO attempts
        (connection_id, run_id, action, started_at, finished_at, outcome, http_status, problem)
    SELECT connection_id, run_id, action, ?, ?, outcome, http_status, problem FROM attempts, counted
"""
"""Calls that left earlier in the hour."""


def test_an_application_that_gets_no_token_of_its_own_stops_before_it_swaps(set_out: SetOut) -> None:
    way = set_out(Concur(), 2)
    way.environment["MIGRATOR_CLIENT_SECRET"] = "another"
    stopped = way.done("run", "tokens.csv", code=3)
    assert "check oauth2.client_id and the client secret" in stopped.stderr
    assert [call.path for call in way.provider.arrived] == ["/oauth2/v0/token"] * len(way.provider.arrived)
    assert set(way.standing().values()) == {("pending", "")}


def test_one_token_of_the_application_serves_all_calls_until_it_ends(set_out: SetOut) -> None:
    concur = Concur()
    way = set_out(concur, 4)
    concur.dead.add(concur.token_of("u3"))
    way.done("run", "tokens.csv")
    assert len(concur.of_application) == 1
    ((said,),) = way.query(
        "SELECT support_id FROM attempts WHERE action = 'swap' AND outcome = 'over' ORDER BY id DESC LIMIT 1"
    )
    assert said == "case-17", "what the provider's support asks for is kept"


def test_only_what_the_calls_use_must_be_configured(set_out: SetOut) -> None:
    way = set_out(Etsy(), 2)
    way.environment.clear()
    settings = way.folder / "migrator.toml"
    text = settings.read_text("utf-8")
    settings.write_text(re.sub(r"(?s)\[oauth1\].*(?=\[oauth2\])", "", text), "utf-8")
    way.done("run", "tokens.csv")
    way.done("refresh", "--all")
    assert set(way.standing().values()) == {("migrated", "")}


@pytest.mark.parametrize("provider", [Fitbit, Pipedrive])
def test_a_connection_is_undone_where_the_provider_can(set_out: SetOut, provider: type[Provider]) -> None:
    way = set_out(provider(), 2)
    way.done("run", "tokens.csv")
    way.done("revoke", "u0", "--yes")
    assert way.standing() == {"u0": ("needs_consent", "revoked_by_operator"), "u1": ("migrated", "")}
    assert set(way.provider.refresh.values()) == {"u1"}
    assert way.provider.unexpected == []
