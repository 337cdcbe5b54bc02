"""The application beside whatever else works on the ledger: locks, exit codes, its end, what it leaves."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.consent.conftest import SetCampaign
from tests.consent.support import PATIENCE, Browser, Campaign, heading, row, until

TENANT_1 = {"tenant-1": "Organisation 1"}


def test_it_is_alone_and_excludes_what_would_change_the_key_or_the_pairs(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving() as process:
        Browser().consent(link, TENANT_1)
        assert campaign.migrator("export", "-o", "pairs.jsonl").returncode == 0
        second = campaign.migrator("reconsent", "serve", "--public-url", campaign.url, "--port", "0")
        for refused in (second, campaign.migrator("ledger", "rekey"), campaign.migrator("purge", "--yes")):
            assert refused.returncode == 4, refused.stderr
            assert f"process {process.pid}" in refused.stderr
        assert campaign.query("SELECT count(*) FROM token_pairs WHERE purged_at IS NOT NULL") == [(0,)]
    assert campaign.migrator("ledger", "rekey").returncode == 0
    assert campaign.migrator("purge", "--yes").returncode == 0


def test_it_waits_for_nobody_who_changes_the_key(campaign: Campaign) -> None:
    descriptor = os.open(f"{campaign.ledger}.serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        finished = campaign.migrator("reconsent", "serve", "--public-url", campaign.url)
    finally:
        os.close(descriptor)
    assert finished.returncode == 4


def test_it_serves_while_a_job_holds_the_ledger(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    descriptor = os.open(f"{campaign.ledger}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with campaign.serving():
            assert heading(Browser().consent(link, TENANT_1)) == "Connected"
    finally:
        os.close(descriptor)


def test_other_commands_and_many_users_share_the_ledger(set_campaign: SetCampaign) -> None:
    numbers = range(1, 61)
    campaign = set_campaign([row(number) for number in numbers], timeout="5.0")
    links = campaign.links()
    campaign.provider.delay = 0.2

    def consent(number: int) -> str:
        return heading(Browser(f"u{number}").consent(links[f"c{number}"], {f"tenant-{number}": "It"}))

    ended: list[int] = []
    stop = threading.Event()

    refreshed = "SELECT count(*) FROM attempts WHERE action = 'refresh' AND outcome = 'done'"

    def others() -> None:
        while not stop.is_set() or campaign.query(refreshed) == [(0,)]:
            for command in (["refresh", "--all"], ["status"], ["resume"], ["reconsent", "list"]):
                finished = campaign.migrator("-q", *command)
                ended.append(finished.returncode)
                assert "locked" not in finished.stderr, finished.stderr
                assert "Traceback" not in finished.stderr, finished.stderr

    with campaign.serving(), ThreadPoolExecutor(8) as pool:
        worker = pool.submit(others)
        pages = list(pool.map(consent, numbers, timeout=PATIENCE * 2))
        stop.set()
        worker.result(PATIENCE)
    assert set(pages) == {"Connected"}
    assert set(ended) <= {0, 1}
    assert len(ended) >= 4
    assert campaign.query("SELECT state, count(*) FROM connections GROUP BY state") == [("migrated", 60)]
    assert campaign.query("SELECT count(*) FROM attempts WHERE outcome IS NULL") == [(0,)]
    assert "locked" not in campaign.log()


def test_sigterm_lets_a_consent_finish_and_takes_no_other(campaign: Campaign) -> None:
    links = campaign.links()
    campaign.provider.delay = 5.0
    campaign.settings(timeout="10.0")
    process = campaign.start()
    browser, late = Browser(), Browser("late")
    callback = browser.allow(browser.press(links["c1"]), TENANT_1)
    late_callback = late.allow(late.press(links["c2"]), {"tenant-2": "Organisation 2"})
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(lambda: browser.get(callback))
        while not campaign.query("SELECT 1 FROM attempts"):
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        until(lambda: late.post(f"{links['c2']}/start").status_code == 503)
        answer = late.get(late_callback)
        assert (answer.status_code, heading(answer)) == (503, "One moment")
        assert answer.headers["Retry-After"] == "60"
        assert coming.result(PATIENCE).headers["Location"] == f"{links['c1']}/done"
    assert campaign.ended(process) == 0
    campaign.provider.delay = 0.0
    with campaign.serving():
        assert heading(late.follow(late_callback)) == "Connected", "loaded again, the same page finishes it"
    assert campaign.standing("c1") == ("migrated", "")
    assert campaign.query("SELECT outcome FROM runs ORDER BY id DESC LIMIT 1") == [("done",)]


def test_a_connection_that_says_nothing_keeps_it_from_nothing(campaign: Campaign) -> None:
    process = campaign.start()
    with socket.create_connection(("127.0.0.1", campaign.port), timeout=5):  # as browsers do, in advance
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert campaign.ended(process) == 0


def test_half_requests_that_go_on_and_on_keep_it_from_nothing(campaign: Campaign) -> None:
    process = campaign.start()
    ended = threading.Event()
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", campaign.port), timeout=5))
            for _ in range(100)
        ]
        for connection in connections:
            connection.sendall(b"GET / HTTP/1.1\r\nX-Filler: ")

        def drip() -> None:
            while not ended.wait(1.0):
                for connection in connections:
                    with suppress(OSError):
                        connection.sendall(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            time.sleep(3.0)  # until each thread of the server is at one of them
            process.send_signal(signal.SIGTERM)
            assert campaign.ended(process) == 0
        finally:
            ended.set()
            dripping.join()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"redirect_uri": "https://other.example/callback"}, "oauth2.redirect_uri"),
        ({"scopes": '["accounting.transactions"]'}, "offline_access"),
    ],
)
def test_it_does_not_start_where_no_consent_could_last(
    set_campaign: SetCampaign, settings: dict[str, str], told: str
) -> None:
    campaign = set_campaign(**settings)
    finished = campaign.migrator("reconsent", "serve", "--public-url", campaign.url, "--port", "0")
    assert (finished.returncode, told in finished.stderr) == (2, True), finished.stderr


def test_it_does_not_start_for_another_provider_than_the_ledgers(campaign: Campaign) -> None:
    settings = campaign.folder / "migrator.toml"
    settings.write_text(
        settings.read_text("utf-8").replace('provider = "xero"', 'provider = "garmin"'), "utf-8"
    )
    finished = campaign.migrator("reconsent", "serve", "--public-url", campaign.url, "--port", "0")
    assert finished.returncode == 2, finished.stderr
    assert "holds connections of 'xero', and the configuration is for 'garmin'" in finished.stderr


def test_a_port_that_is_taken_and_a_ledger_that_is_not_there_are_told(campaign: Campaign) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        finished = campaign.migrator("reconsent", "serve", "--public-url", campaign.url, "--port", port)
    assert (finished.returncode, "Address already in use" in finished.stderr) == (2, True), finished.stderr
    assert campaign.query("SELECT outcome FROM runs ORDER BY id DESC LIMIT 1") == [("stopped",)]
    finished = campaign.migrator(
        "--ledger", "none.db", "reconsent", "serve", "--public-url", campaign.url, "--port", "0"
    )
    assert (finished.returncode, Path(campaign.folder, "none.db").exists()) == (2, False)


@pytest.mark.parametrize("goes_on", ["serve", "resume"])
def test_a_ledger_that_takes_nothing_more_stops_it_and_costs_no_pair(
    campaign: Campaign, goes_on: str
) -> None:
    links = campaign.links()
    campaign.provider.delay = 1.0
    campaign.settings(timeout="2.0")
    with (campaign.folder / "serve.log").open("a") as log:
        process = subprocess.Popen(
            ["sh", "-c", 'ulimit -f "$0" && exec "$@"', "4000", *serve_command(campaign)],
            cwd=campaign.folder,
            env=campaign.environment(),
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    campaign.await_listening(process)
    browser = Browser()
    callback = browser.allow(browser.press(links["c1"]), TENANT_1)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(lambda: browser.get(callback))
        while not campaign.query("SELECT 1 FROM attempts"):
            time.sleep(0.02)
        with full(campaign):
            answer = coming.result(PATIENCE)
    assert answer.status_code == 503
    assert heading(answer) == "Something went wrong on our side"
    assert campaign.ended(process) == 3, campaign.log()
    rescue = Path(f"{campaign.ledger}.serve.rescue")
    assert rescue.read_bytes().strip(b"\0")
    refused = campaign.migrator("ledger", "rekey")
    assert (refused.returncode, "rescue file" in refused.stderr) == (2, True), refused.stderr
    if goes_on == "resume":
        campaign.alter("UPDATE connections SET not_before = NULL")  # nobody waits for it
        assert campaign.migrator("resume").returncode == 0
        assert not rescue.exists()
    with campaign.serving():
        until(lambda: campaign.standing("c1") == ("migrated", ""))
        assert heading(Browser().get(links["c1"])) == "Connected already"
    assert not rescue.exists()
    ((invitation, _),) = campaign.query("SELECT invitation, outcome FROM invited WHERE key = 'c1'")
    assert invitation == "finished"


def serve_command(campaign: Campaign) -> list[str]:
    return [
        sys.executable, "-m", "migrator", "reconsent", "serve", "--public-url", campaign.url,
        "--port", str(campaign.port),
    ]  # fmt: skip


@contextmanager
def full(campaign: Campaign) -> Iterator[None]:
    """While it lasts, the ledger's log has the length that no file of the application may exceed."""
    with (
        closing(sqlite3.connect(campaign.ledger, timeout=10)) as db,
        closing(sqlite3.connect(campaign.ledger)) as reader,
    ):
        reader.execute("BEGIN")  # as long as somebody reads it as it was, the log is not begun anew
        reader.execute("SELECT count(*) FROM connections").fetchone()
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("CREATE TABLE filler (x)")
        db.execute("INSERT INTO filler VALUES (zeroblob(2200000))")
        db.commit()
        yield
