"""A user's way from the link over the provider and back, and what they are told of it."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from tests.consent.support import PATIENCE, Browser, Campaign, heading, query_of, until


def without_code(callback: str) -> str:
    """A callback as a provider sends it that says nothing."""
    return re.sub("&(error|code)=[^&]*", "", callback)


def test_a_user_is_taken_from_the_link_to_a_pair_in_the_ledger(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        page = browser.get(link)
        assert heading(page) == "Ledgerly asks you to connect to Xero"
        assert "Organisation 1" in page.text
        assert "See and change invoices" in page.text
        assert "<li>strange.scope</li>" in page.text, "an unknown scope is shown by its name"
        assert "help@ledgerly.example" in page.text
        authorise = browser.press(link)
        asked = query_of(authorise)
        assert authorise.startswith(f"{campaign.provider.base_url}/identity/connect/authorize?")
        assert asked["redirect_uri"] == f"{campaign.url}/callback"
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert asked["scope"] == "offline_access accounting.transactions strange.scope"
        assert len(asked["state"]) >= 40
        callback = browser.allow(authorise, {"tenant-1": "Organisation 1"})
        answer = browser.get(callback)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{link}/done")
        assert heading(browser.get(f"{link}/done")) == "Connected"
        assert heading(browser.get(link)) == "Connected already"
        reloaded = browser.follow(callback)
        assert (reloaded.status_code, heading(reloaded)) == (200, "Connected")
    assert campaign.standing("c1") == ("migrated", "")
    assert campaign.standing("c2") == ("needs_consent", "public_app")
    assert campaign.invitation("c1") == ("finished", "connected")
    assert campaign.provider.token_calls == 1, "a reload exchanges nothing"
    assert campaign.query("SELECT action, outcome, http_status FROM attempts ORDER BY id") == [
        ("exchange_code", "done", 200),
        ("verify", "done", 200),
    ]
    assert campaign.query("SELECT command, outcome FROM runs ORDER BY id")[-1] == ("reconsent serve", "done")
    exported = campaign.migrator("export", "-o", "pairs.jsonl")
    assert exported.returncode == 0, exported.stderr
    assert next(iter(campaign.provider.refresh)) in (campaign.folder / "pairs.jsonl").read_text()


def test_the_secret_of_oauth_1_may_be_gone_by_then(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    (campaign.folder / "consumer_secret").unlink()
    with campaign.serving():
        assert heading(Browser().consent(link, {"tenant-1": "Organisation 1"})) == "Connected"


def test_a_user_who_cancels_finds_a_way_on(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        callback = browser.say(browser.press(link), "access_denied")
        page = browser.follow(callback)
        assert (page.status_code, heading(page)) == (200, "Nothing was connected")
        assert campaign.invitation("c1") == ("refused", "refused")
        assert campaign.standing("c1") == ("needs_consent", "public_app")
        assert heading(browser.consent(link, {"tenant-1": "Organisation 1"})) == "Connected"
    assert campaign.invitation("c1") == ("finished", "connected")
    assert campaign.query("SELECT refused_at IS NOT NULL FROM invitations WHERE outcome = 'connected'") == [
        (1,)
    ]


def test_who_loads_the_callback_again_meanwhile_is_asked_for_a_moment(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    gate = campaign.provider.gate = threading.Event()
    campaign.settings(timeout="10.0")
    with campaign.serving():
        browser = Browser()
        callback = browser.allow(browser.press(link), {"tenant-1": "Organisation 1"})
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(lambda: heading(browser.follow(callback)))
            until(lambda: campaign.provider.token_calls == 1)
            page = browser.follow(callback)
            assert (page.status_code, heading(page)) == (200, "One moment")
            assert f'href="{link}"' in page.text
            gate.set()
            assert coming.result(PATIENCE) == "Connected"
        assert heading(browser.get(link)) == "Connected already"
    assert campaign.provider.token_calls == 1


@pytest.mark.parametrize(
    ("error", "title", "outcome"),
    [
        ("server_error", "Xero cannot be reached just now", "provider_down"),
        ("temporarily_unavailable", "Xero cannot be reached just now", "provider_down"),
        ("invalid_scope", "This does not work at the moment", "setup"),
        ("invalid_client", "This does not work at the moment", "setup"),
        ("interaction_required", "Xero wanted to ask you something", "interaction_required"),
        ("login_required", "You were not logged in at Xero", "login_required"),
        ("consent_required", "Xero needs your permission", "consent_required"),
        ("strange_word", "Xero said no", "unknown_error"),
        ("<script>", "Xero said no", "unknown_error"),
    ],
)
def test_what_the_provider_sends_back_instead_of_a_code_is_explained(
    campaign: Campaign, error: str, title: str, outcome: str
) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        page = browser.follow(browser.say(browser.press(link), error))
        assert (page.status_code, heading(page)) == (200, title)
    assert campaign.invitation("c1") == ("failed", outcome)
    assert campaign.provider.token_calls == 0
    assert "<script>" not in page.text
    assert "took too long" not in page.text


DESCRIPTION = (
    "AADSTS50011: no such client\x1b[31m, code=abc123, token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln at "
    "https://id.example.com/authorize?client_secret=hush#x"
)


MASKED = "AADSTS50011: no such client [31m, code=…, token … at https://id.example.com/authorize?…"


def test_what_the_provider_said_of_the_application_is_told_to_the_operator_and_masked(
    campaign: Campaign,
) -> None:
    links = campaign.links()
    process = campaign.start(verbose=False)
    browser = Browser()
    callback = browser.say(browser.press(links["c1"]), "invalid_client")
    browser.follow(f"{callback}&{urlencode({'error_description': DESCRIPTION})}")
    other = browser.say(browser.press(links["c2"]), "x")
    assert heading(browser.follow(without_code(other))) == "You came back without an answer"
    process.terminate()
    assert campaign.ended(process) == 0
    assert f"ERROR: connection c1: came back without a code: invalid_client: {MASKED}\n" in campaign.log()
    assert "WARNING: connection c2: came back without a code: no_code\n" in campaign.log()
    listed = json.loads(campaign.migrator("reconsent", "list", "--json").stdout)
    assert [(one["problem"], one["said"]) for one in listed] == [("invalid_client", MASKED), ("no_code", "")]
    table = campaign.migrator("reconsent", "list").stdout
    assert f"setup: invalid_client, {MASKED}" in table
    assert "no answer: no_code" in table
    for secret in ("abc123", "eyJ", "hush"):
        assert secret not in campaign.log() + table


def test_who_comes_back_without_the_cookie_is_told_to_the_operator(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    process = campaign.start(verbose=False)
    callback = Browser().allow(Browser().press(link), {"tenant-1": "Organisation 1"})
    for url in (callback, callback, f"{campaign.url}/callback?state=made-up&code=x"):
        page = Browser().follow(url)
        assert (page.status_code, heading(page)) == (400, "We lost track of you")
    process.terminate()
    assert campaign.ended(process) == 0
    assert campaign.provider.token_calls == 0
    assert campaign.log().count("WARNING: connection c1: came back without the cookie") == 2
    assert "WARNING: somebody came back with a state that is none of ours" in campaign.log()
    listed = json.loads(campaign.migrator("reconsent", "list", "--json").stdout)
    assert [(one["lost_track"], one["invitation"]) for one in listed] == [("2", "opened"), ("", "invited")]
    assert "came back without cookie: 2" in campaign.migrator("reconsent", "list").stdout


def test_an_error_that_comes_back_without_the_cookie_is_told_too(campaign: Campaign) -> None:
    links = campaign.links()
    process = campaign.start(verbose=False)
    callback = Browser().say(Browser().press(links["c1"]), "invalid_client")
    said = urlencode({"error_description": DESCRIPTION})
    state = query_of(callback)["state"]
    quoting = urlencode({"error_description": f"I got {state[:40]}{state[40:]}"})
    for url in (
        f"{callback}&{said}",
        f"{callback}&{quoting}",
        f"{campaign.url}/callback?state=made-up&error=access_denied&{said}",
        f"{campaign.url}/callback?state=made-up&error=%0aERROR:+all+is+lost&{said}",
    ):
        page = Browser().follow(url)
        assert (page.status_code, heading(page)) == (400, "We lost track of you")
    process.terminate()
    assert campaign.ended(process) == 0
    ours = "WARNING: connection c1: came back without the cookie that it left with, and with an error:"
    nobodys = "WARNING: somebody came back with a state that is none of ours, and with an error:"
    assert [
        line for line in campaign.log().splitlines() if line.startswith("WARNING: ") and "error" in line
    ] == [
        f"{ours} invalid_client: {MASKED}",
        f"{ours} invalid_client: I got …",
        f"{nobodys} access_denied",
        f"{nobodys} no_word",
    ]
    listed = json.loads(campaign.migrator("reconsent", "list", "--json").stdout)
    assert [one["outcome"] for one in listed] == ["", ""], "anybody may have sent that: it is no visit"
