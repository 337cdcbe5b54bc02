"""The application beside a job on the same ledger: neither takes from the other what is under way."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

from migrator.ledger.access import open_for_job
from migrator.ledger.calls import EndedCall
from migrator.ledger.file.keys import require_key
from migrator.ledger.job_ledger import Ledger
from migrator.models import Action, Standing, Tenant, utc_now
from migrator.providers import Later, Outcome, Reached, Unknown
from migrator.rules.transitions import settle
from tests.consent.support import PATIENCE, Browser, Campaign, heading, until
from tests.rules.strategies import POLICY

TENANT_1 = {"tenant-1": "Organisation 1"}


def test_a_job_leaves_alone_what_the_application_has_under_way(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    campaign.provider.delay = 3.0
    campaign.settings(timeout="10.0")
    with campaign.serving(), ThreadPoolExecutor(1) as pool:
        coming = pool.submit(lambda: Browser().consent(link, TENANT_1))
        while not campaign.query("SELECT 1 FROM attempts"):
            time.sleep(0.02)
        assert campaign.migrator("resume").returncode == 0
        assert campaign.query("SELECT outcome FROM attempts") == [(None,)]
        assert campaign.standing("c1") == ("needs_consent", "public_app")
        assert heading(coming.result(PATIENCE)) == "Connected"
    assert campaign.standing("c1") == ("migrated", "")


@contextmanager
def job_at_work(campaign: Campaign) -> Iterator[Ledger]:
    """A job's ledger, whose calls the test makes itself."""
    key = require_key(campaign.ledger, {}, None)
    with open_for_job(campaign.ledger, key, utc_now, hurry=threading.Event(), create=False) as ledger:
        ledger.begin_run("resume", POLICY, workers=1)
        yield ledger
        ledger.end_run("done")


def end_late(
    ledger: Ledger,
    attempt_id: int | None,
    standing: Standing,
    outcome: Outcome,
    action: Action = Action.VERIFY,
) -> None:
    """The answer to a call that a job began long ago."""
    assert attempt_id is not None
    assert standing.pair is not None
    verdict = settle(standing, action, outcome, utc_now(), POLICY, timedelta(seconds=1))
    ledger.end_call(EndedCall(attempt_id, standing.id, standing.pair.id, verdict, 200))


def test_an_old_answer_to_the_job_takes_nothing_back_from_a_user(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    campaign.provider.connections_fault = "503"
    with campaign.serving(), job_at_work(campaign) as ledger:
        browser = Browser()
        assert heading(browser.consent(link, {"tenant-9": "Wrong"})) == "Almost done"
        standing = ledger.standing(1)
        attempt_id = ledger.begin_call(standing, Action.VERIFY)
        campaign.provider.connections_fault = ""
        campaign.alter("UPDATE connections SET not_before = NULL")
        until(lambda: campaign.invitation("c1") == ("failed", "other_tenant"))
        assert heading(browser.consent(link, TENANT_1)) == "Connected"
        end_late(ledger, attempt_id, standing, Reached((Tenant("tenant-9"),)))
        assert ledger.begin_call(standing, Action.REFRESH) is None, "nor is anything begun with an old pair"
    assert campaign.standing("c1") == ("migrated", "")
    assert campaign.invitation("c1") == ("finished", "connected")


def test_an_old_answer_about_one_pair_says_nothing_of_the_next(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    campaign.provider.connections_fault = "503"
    campaign.settings(timeout="10.0")
    with campaign.serving(), job_at_work(campaign) as ledger:
        right, wrong = Browser("right"), Browser("wrong")
        callback = wrong.allow(wrong.press(link), {"tenant-9": "Wrong"})
        earlier = right.allow(right.press(link), TENANT_1)
        gate = campaign.provider.gate = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(lambda: heading(wrong.follow(callback)))
            until(lambda: campaign.provider.token_calls == 1)
            campaign.provider.gate = None
            assert heading(right.follow(earlier)) == "Almost done"
            standing = ledger.standing(1)
            attempt_id = ledger.begin_call(standing, Action.VERIFY)
            gate.set()
            assert second.result(PATIENCE) == "Almost done"
        end_late(ledger, attempt_id, standing, Reached((Tenant("tenant-1"),)))
        assert campaign.standing("c1") == ("uncertain", "unverified_pair"), "it is another pair now"


def test_a_clock_that_was_put_back_leaves_no_call_in_flight(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        assert heading(Browser().consent(link, TENANT_1)) == "Connected"
    campaign.alter("UPDATE token_pairs SET verified_at = '2099-01-01T00:00:00.000000Z'")
    with job_at_work(campaign) as ledger:
        standing = ledger.standing(1)
        attempt_id = ledger.begin_call(standing, Action.REFRESH)
        assert campaign.standing("c1")[0] == "in_flight"
        end_late(ledger, attempt_id, standing, Unknown("no_answer"), Action.REFRESH)
    assert campaign.standing("c1")[0] == "uncertain"


def test_an_old_answer_does_not_make_uncertain_what_has_been_seen_to_work(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    campaign.provider.connections_fault = "503"
    with campaign.serving(), job_at_work(campaign) as ledger:
        assert heading(Browser().consent(link, TENANT_1)) == "Almost done"
        standing = ledger.standing(1)
        attempt_id = ledger.begin_call(standing, Action.VERIFY)
        campaign.provider.connections_fault = ""
        campaign.alter("UPDATE connections SET not_before = NULL")
        until(lambda: campaign.standing("c1") == ("migrated", ""))
        end_late(ledger, attempt_id, standing, Later("http_503"))
    assert campaign.standing("c1") == ("migrated", "")


def test_a_job_does_not_wait_for_what_the_application_has_settled(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    campaign.provider.connections_fault = "503"
    with campaign.serving():
        assert heading(Browser().consent(link, TENANT_1)) == "Almost done"
    due = utc_now() + timedelta(seconds=120)
    campaign.alter("UPDATE connections SET not_before = ? WHERE key = 'c1'", due.isoformat())
    environment = {**campaign.environment(), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "migrator", "resume"],
        cwd=campaign.folder,
        env=environment,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        assert any("to be asked again" in line for line in process.stderr)
        campaign.alter(
            "UPDATE connections SET state = 'migrated', reason = '', doubt = NULL WHERE key = 'c1'"
        )
        try:
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
