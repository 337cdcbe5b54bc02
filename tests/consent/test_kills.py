"""Two hundred users at once, and the application killed in their midst."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from migrator.ledger.access import open_to_compare
from migrator.ledger.file.keys import require_key
from tests.consent.conftest import SetCampaign
from tests.consent.support import PATIENCE, Browser, Campaign, heading, row, until

USERS = 200
KILLS = 3


def stored(campaign: Campaign) -> set[str]:
    """Every refresh token in the ledger, decrypted."""
    key = require_key(campaign.ledger, {}, None)
    with open_to_compare(campaign.ledger, key) as (db, codec):
        rows = db.execute("SELECT access_token, refresh_token FROM token_pairs").fetchall()
        return {codec.open_pair(*each)[1].reveal() for each in rows}


class Users:
    """Many users, each of whom clicks until it says that all is done, once they may begin."""

    def __init__(self, campaign: Campaign) -> None:
        self.links = campaign.links()
        self.finished: set[str] = set()
        self._lock = threading.Lock()
        self._let_in = threading.Semaphore(0)

    def let_in(self, number: int) -> None:
        """So many more may begin."""
        self._let_in.release(number)

    def take(self, number: int) -> None:
        assert self._let_in.acquire(timeout=PATIENCE * 4)
        key, deadline = f"c{number}", time.monotonic() + PATIENCE * 4
        while time.monotonic() < deadline:
            try:
                last = self._try(key, number)
            except requests.RequestException:  # it has just been killed
                time.sleep(0.5)
                continue
            if last in ("Connected", "Connected already"):
                with self._lock:
                    self.finished.add(key)
                return
        raise AssertionError(f"{key} never came to an end")

    def _try(self, key: str, number: int) -> str:
        before = self.sees(key)
        if before in ("Connected already", "Almost done", "One moment"):  # though the last answer never came
            time.sleep(0.5)
            return before
        return heading(Browser(key).consent(self.links[key], {f"tenant-{number}": "It"}))

    def sees(self, key: str) -> str:
        """What the page behind a user's link says."""
        return heading(Browser(key).get(self.links[key]))


def test_no_pair_is_lost_and_whoever_had_finished_is_not_asked_again(set_campaign: SetCampaign) -> None:
    campaign = set_campaign([row(number) for number in range(1, USERS + 1)], timeout="10.0")
    campaign.provider.delay = 0.5  # so that some are under way whenever it is killed
    users = Users(campaign)
    process = campaign.start(verbose=False)
    with ThreadPoolExecutor(USERS) as pool:
        ways = [pool.submit(users.take, number) for number in range(1, USERS + 1)]
        for kill in range(1, KILLS + 1):
            users.let_in(USERS // 4)  # fewer than there are: however late it is killed, some are left
            while len(users.finished) < USERS * kill // 8:
                assert not [way.exception() for way in ways if way.done() and way.exception()]
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE)
            done = sorted(users.finished)
            assert 0 < len(done) < USERS, "it was not killed in their midst"
            process = campaign.start(verbose=False)
            assert {users.sees(key) for key in done} == {"Connected already"}
        users.let_in(USERS // 4)
        for way in ways:
            way.result(PATIENCE * 4)
    assert {users.sees(f"c{number}") for number in range(1, USERS + 1)} == {"Connected already"}
    deadline = time.monotonic() + PATIENCE
    while campaign.query("SELECT count(*) FROM connections WHERE state = 'migrated'") != [(USERS,)]:
        assert time.monotonic() < deadline, campaign.query("SELECT key, state, reason FROM problems")
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert campaign.ended(process) == 0

    # Each answer that the application got whole is in the ledger: what is not was under way when it died.
    lost = set(campaign.provider.refresh) - stored(campaign)
    ((died,),) = campaign.query("SELECT count(*) FROM attempts WHERE problem = 'process_died'")
    assert len(lost) <= died
    doubled = """SELECT connection_id FROM token_pairs WHERE replaced_at IS NULL AND dead_at IS NULL
                 GROUP BY connection_id HAVING count(*) > 1"""
    assert campaign.query(doubled) == []
    assert campaign.query("SELECT count(*) FROM invited WHERE invitation = 'finished'") == [(USERS,)]


def test_a_consent_whose_process_died_in_the_exchange_is_begun_again(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    campaign.provider.delay = 5.0
    campaign.settings(timeout="10.0")
    process = campaign.start()
    browser = Browser()
    callback = browser.allow(browser.press(link), {"tenant-1": "One"})
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(lambda: browser.get(callback))
        while not campaign.provider.token_calls:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
        assert isinstance(coming.exception(PATIENCE), requests.ConnectionError)
    campaign.provider.delay = 0
    with campaign.serving():
        assert campaign.standing("c1") == ("needs_consent", "response_lost")
        page = browser.follow(callback)
        assert heading(page) == "Please click once more", "the same callback again exchanges nothing"
        assert campaign.provider.token_calls == 1
        assert heading(browser.consent(link, {"tenant-1": "One"})) == "Connected"
    assert campaign.query("SELECT action, outcome, problem FROM attempts ORDER BY id") == [
        ("exchange_code", "unknown", "process_died"),
        ("exchange_code", "done", None),
        ("verify", "done", None),
    ]


def test_a_pair_that_was_stored_before_the_end_is_seen_to_work_at_the_next_start(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    campaign.provider.connections_fault = "drop"
    with campaign.serving():
        Browser().consent(link, {"tenant-1": "One"})
    assert campaign.standing("c1") == ("uncertain", "unverified_pair")
    campaign.provider.connections_fault = ""
    with campaign.serving():
        deadline = time.monotonic() + PATIENCE
        while campaign.standing("c1") != ("migrated", ""):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert campaign.invitation("c1") == ("finished", "connected")


def test_a_refresh_whose_process_died_is_asked_again_by_the_job_and_then_its_user_is(
    campaign: Campaign,
) -> None:
    def refresh_alone(pair: dict[str, Any]) -> object:
        campaign.provider.form, campaign.provider.delay = (lambda pair: pair), 3.0
        return {"refresh_token": pair["refresh_token"]}

    campaign.provider.form = refresh_alone
    campaign.settings(timeout="10.0")
    link = campaign.links()["c1"]
    process = campaign.start()
    browser = Browser()
    callback = browser.allow(browser.press(link), {"tenant-1": "One"})
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(lambda: browser.get(callback))
        until(lambda: campaign.provider.token_calls == 2)
        assert heading(Browser().get(link)) == "Almost done"
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
        assert isinstance(coming.exception(PATIENCE), requests.ConnectionError)
    campaign.provider.delay = 0
    with campaign.serving():
        assert campaign.standing("c1") == ("uncertain", "response_lost")
        assert heading(browser.get(link)) == "Almost done"
        until(lambda: len(campaign.provider.rotated) == 1)
        campaign.alter("UPDATE connections SET not_before = NULL")
        assert campaign.migrator("resume").returncode == 0
        assert campaign.standing("c1") == ("needs_consent", "response_lost")
        assert heading(browser.get(link)) == "Please click once more"
        assert heading(browser.consent(link, {"tenant-1": "One"})) == "Connected"
