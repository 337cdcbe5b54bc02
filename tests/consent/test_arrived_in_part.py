"""An answer that breaks off behind its refresh token, or that an older version did not understand, holds a
pair: it is used before an older one, and nobody is given up before it was looked for.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from migrator.ledger.access import open_to_compare
from migrator.ledger.file.keys import require_key
from tests.consent.conftest import SetCampaign
from tests.consent.support import Browser, Campaign, Finished, heading, row, until

MAIL = "owner@example.com"
TENANTS = {f"tenant-{number}": f"Organisation {number}" for number in (1, 2, 3)}
DONE = ("migrated", "")


@pytest.fixture
def three(set_campaign: SetCampaign) -> Campaign:
    return set_campaign([row(number, contact_email=MAIL) for number in (1, 2, 3)])


@pytest.fixture
def shared(three: Campaign) -> Campaign:
    """Three connections, served by one pair."""
    link = three.links()["c1"]
    with three.serving():
        assert heading(Browser().consent(link, TENANTS)) == "Connected"
    return three


def states(campaign: Campaign) -> set[tuple[str, str]]:
    return {campaign.standing(key) for key in ("c1", "c2", "c3")}


@contextmanager
def older_version(campaign: Campaign, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with (campaign.folder / "older.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.consent.older_version", *arguments],
            cwd=campaign.folder,
            env=campaign.environment(),
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        campaign.ended(process)


def holds_the_living_pair(campaign: Campaign) -> bool:
    """Whether what an export hands over is what the provider takes."""
    assert campaign.migrator("export", "-o", "pairs.jsonl").returncode == 0
    rows = [json.loads(line) for line in (campaign.folder / "pairs.jsonl").read_text().splitlines()]
    assert len(rows) == 3
    living = set(campaign.provider.refresh) - campaign.provider.rotated
    return {one["refresh_token"] for one in rows} == living


def refresh_and_give_up_nobody(campaign: Campaign) -> Finished:
    """Refresh all; nobody may be given up on the way, however soon they are taken back."""
    campaign.alter("CREATE TABLE given_up (key TEXT)")
    campaign.alter(
        """CREATE TRIGGER note_given_up AFTER UPDATE OF state ON connections
           WHEN new.state = 'needs_consent' BEGIN INSERT INTO given_up VALUES (new.key); END"""
    )
    finished = campaign.migrator("refresh", "--all")
    assert finished.returncode == 0, finished.stderr
    assert states(campaign) == {DONE}
    assert campaign.query("SELECT key FROM given_up") == []
    return finished


# --- refreshed ---


def test_a_refresh_that_breaks_off_behind_its_refresh_token_goes_on_with_that(shared: Campaign) -> None:
    shared.provider.cuts, shared.provider.reuse_ends_grant = 1, True
    assert "1 pair refreshed\n" in refresh_and_give_up_nobody(shared).stderr
    assert holds_the_living_pair(shared)


def test_what_was_taken_back_gives_way_to_what_it_had_replaced(shared: Campaign) -> None:
    shared.provider.cuts, shared.provider.takes_back = 1, True
    refresh_and_give_up_nobody(shared)
    assert shared.query("SELECT outcome FROM attempts WHERE action = 'refresh' ORDER BY id") == [
        ("done",), ("over",), ("done",)
    ]  # fmt: skip
    assert holds_the_living_pair(shared)


def test_the_pair_before_goes_before_a_renewed_token_that_only_its_owner_could_go_on_with(
    shared: Campaign,
) -> None:
    shared.alter("UPDATE connections SET app_type = 'partner' WHERE key = 'c1'")
    key = require_key(shared.ledger, {}, None)
    with open_to_compare(shared.ledger, key) as (_, codec):
        renewed = codec.seal_answer(f"oauth_token={'t' * 30}&oauth_token_secret={'s' * 30}".encode())
    shared.alter(
        """INSERT INTO attempts
               (id, connection_id, run_id, action, started_at, finished_at, outcome, http_status, answer)
           VALUES (0, 1, 1, 'renew', '2026-11-01T00:00:00.000000Z', '2026-11-01T00:00:01.000000Z',
                   'unknown', 200, ?)""",
        renewed,
    )
    shared.provider.cuts, shared.provider.takes_back = 1, True
    refresh_and_give_up_nobody(shared)
    assert shared.query("SELECT outcome FROM attempts WHERE action = 'renew'") == [("unknown",)]
    assert holds_the_living_pair(shared)


def test_where_neither_works_all_are_given_up_once(shared: Campaign) -> None:
    shared.provider.cuts, shared.provider.takes_back = 1, True
    shared.provider.reuse_ends_grant = True  # which the refused one is for that provider
    finished = shared.migrator("refresh", "--all")
    assert finished.returncode == 1, finished.stderr
    assert states(shared) == {("needs_consent", "response_lost")}
    assert "0 pairs refreshed\n" in finished.stderr


def test_a_refresh_that_an_older_version_left_in_doubt_is_read_before_it_is_asked_again(
    shared: Campaign,
) -> None:
    shared.provider.reuse_ends_grant = True
    with older_version(shared, "refresh", "--all"):
        until(lambda: shared.query("SELECT 1 FROM attempts WHERE outcome = 'unknown'") != [])
    assert states(shared) == {("uncertain", "response_lost")}
    shared.alter("UPDATE connections SET not_before = NULL")
    finished = shared.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert "1 answer that was not understood at the time held a pair" in finished.stderr
    assert states(shared) == {DONE}
    assert holds_the_living_pair(shared)


def test_whom_an_older_version_gave_up_is_taken_back_with_all_whom_its_pair_served(shared: Campaign) -> None:
    with older_version(shared, "refresh", "--all") as older:
        assert shared.ended(older) == 1
    assert states(shared) == {("needs_consent", "response_lost")}
    finished = shared.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert states(shared) == {DONE}
    assert holds_the_living_pair(shared)


# --- consented ---


def test_a_restart_reads_what_an_earlier_version_did_not_understand_before_its_user_clicks_once_more(
    three: Campaign,
) -> None:
    link = three.links()["c1"]
    arguments = ["reconsent", "serve", "--public-url", three.url, "--port", str(three.port)]
    with older_version(three, *arguments) as older:
        three.await_listening(older)
        assert heading(Browser().consent(link, TENANTS)) == "Please click once more"
    assert three.standing("c1") == ("needs_consent", "response_lost")
    with three.serving():
        until(lambda: states(three) == {DONE})
        assert heading(Browser().get(link)) == "Connected already"
    assert "1 answer that was not understood at the time held a pair" in three.log()
    assert three.query("SELECT action, problem FROM attempts") == [
        ("exchange_code", "read_again"),
        ("verify", None),
    ]
    assert three.invitation("c1") == ("finished", "connected")
    assert holds_the_living_pair(three)


def test_an_exchange_whose_form_ends_nowhere_asks_its_user_for_nothing(three: Campaign) -> None:
    """A form does not show where it ends: what broke off may be a pair, and a refresh tells."""
    three.provider.cuts, three.provider.in_a_form = 1, True
    link = three.links()["c1"]
    with three.serving():
        assert heading(Browser().consent(link, TENANTS)) != "Please click once more"
    assert three.query("SELECT outcome FROM attempts WHERE action = 'exchange_code'") == [("done",)]
