"""What happens to the exchange of a code, and what becomes of its pair."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest

from migrator.ledger.access import open_to_compare
from migrator.ledger.file.keys import require_key
from tests.consent.conftest import SetCampaign
from tests.consent.support import PATIENCE, Browser, Campaign, heading, query_of, until


@pytest.mark.parametrize(
    ("fault", "title", "standing", "outcome"),
    [
        ("503", "Xero cannot be reached just now", ("needs_consent", "public_app"), "provider_down"),
        ("500", "Please click once more", ("needs_consent", "response_lost"), "response_lost"),
        ("drop", "Please click once more", ("needs_consent", "response_lost"), "response_lost"),
        ("garbage", "Please click once more", ("needs_consent", "response_lost"), "response_lost"),
        ("invalid_client", "This does not work at the moment", ("needs_consent", "public_app"), "setup"),
    ],
)
def test_whatever_happens_to_the_exchange_the_user_finds_a_way_on(
    campaign: Campaign, fault: str, title: str, standing: tuple[str, str], outcome: str
) -> None:
    link = campaign.links()["c1"]
    campaign.provider.token_fault = fault
    with campaign.serving():
        browser = Browser()
        page = browser.consent(link, {"tenant-1": "Organisation 1"})
        assert (page.status_code, heading(page)) == (200, title)
        assert campaign.standing("c1") == standing
        assert campaign.invitation("c1") == ("failed", outcome)
        campaign.provider.token_fault = ""
        assert heading(browser.consent(link, {"tenant-1": "Organisation 1"})) == "Connected"
    assert campaign.standing("c1") == ("migrated", "")
    assert ("ERROR: connection c1" in campaign.log()) is (fault == "invalid_client")


def test_a_second_visit_that_wins_nothing_takes_nothing_away(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    campaign.settings(timeout="10.0")
    campaign.provider.connections_fault = "503"
    with campaign.serving():
        browser = Browser()
        first, second = (browser.allow(browser.press(link), {"tenant-1": "Organisation 1"}) for _ in "12")
        gate = campaign.provider.gate = threading.Event()
        with ThreadPoolExecutor(2) as pool:
            late = pool.submit(lambda: heading(browser.follow(second)))
            until(lambda: campaign.provider.token_calls == 1)
            campaign.provider.gate = None
            assert heading(browser.follow(first)) == "Almost done"
            campaign.provider.codes.clear()
            gate.set()
            assert late.result(PATIENCE) == "Almost done"
        assert campaign.standing("c1") == ("uncertain", "unverified_pair")
        assert campaign.query("SELECT outcome FROM attempts WHERE action = 'exchange_code'") == [
            ("over",),
            ("done",),
        ]
        campaign.provider.connections_fault = ""
        campaign.alter("UPDATE connections SET not_before = NULL")
        until(lambda: campaign.standing("c1") == ("migrated", ""))


def test_a_client_secret_may_hold_any_letters(set_campaign: SetCampaign) -> None:
    campaign = set_campaign()
    campaign.provider.client_secret = "pässwört€"
    campaign.settings()
    with campaign.serving():
        browser = Browser()
        page = browser.consent(campaign.links()["c1"], {"tenant-1": "Organisation 1"})
        assert heading(page) == "Connected"


def test_a_provider_that_quotes_what_it_was_sent_makes_nobody_read_it(set_campaign: SetCampaign) -> None:
    """At the token endpoint, and through the user's browser; the client secret is made of plain words."""
    campaign = set_campaign()
    campaign.provider.client_secret = "correct horse"
    campaign.settings()
    links = campaign.links()
    campaign.provider.token_fault = "invalid_client"
    process = campaign.start()
    browser = Browser()
    callback = browser.allow(browser.press(links["c1"]), {"tenant-1": "Organisation 1"})
    browser.follow(callback)
    refused = browser.say(browser.press(links["c2"]), "invalid_client")
    browser.follow(f"{refused}&{urlencode({'error_description': 'not correct horse, I said'})}")
    process.terminate()
    assert campaign.ended(process) == 0
    listed = json.loads(campaign.migrator("reconsent", "list", "--json").stdout)
    assert listed[0]["said"].startswith("I got … | authorization_code | … | ")
    assert listed[1]["said"] == "not …, I said"
    said = json.dumps(listed) + campaign.log()
    for secret in ("correct", "horse", query_of(callback)["code"], *campaign.provider.codes):
        assert secret not in said
    assert "I got …" in campaign.log()


def test_a_connection_that_went_on_without_its_user_keeps_its_own_pair(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        callback = browser.allow(browser.press(link), {"tenant-1": "Organisation 1"})
        campaign.alter("UPDATE connections SET state = 'pending', reason = '' WHERE id = 1")
        page = browser.follow(callback)
        assert heading(page) == "There is nothing to do for you at the moment"
    assert campaign.standing("c1") == ("pending", "")
    assert campaign.provider.token_calls == 0


def test_a_pair_in_another_form_is_won_and_what_it_lacks_is_told(campaign: Campaign) -> None:
    campaign.provider.form = lambda pair: {
        "accessToken": pair["access_token"],
        "refreshToken": pair["refresh_token"],
    }
    link = campaign.links()["c1"]
    with campaign.serving():
        assert heading(Browser().consent(link, {"tenant-1": "Organisation 1"})) == "Connected"
    assert campaign.standing("c1") == ("migrated", "lifetime_assumed")


def without_access_token(campaign: Campaign, then: str = "") -> None:
    """The next answer holds a refresh token alone; those after it are whole, but for a fault."""

    def form(pair: dict[str, Any]) -> object:
        campaign.provider.form = lambda pair: pair
        campaign.provider.token_fault = then
        return {"refresh_token": pair["refresh_token"]}

    campaign.provider.form = form


def test_a_code_that_wins_no_access_token_is_refreshed_at_once(campaign: Campaign) -> None:
    without_access_token(campaign)
    link = campaign.links()["c1"]
    with campaign.serving():
        assert heading(Browser().consent(link, {"tenant-1": "Organisation 1"})) == "Connected"
    assert campaign.standing("c1") == ("migrated", "")
    assert campaign.invitation("c1") == ("finished", "connected")
    assert campaign.query("SELECT action, outcome FROM attempts") == [
        ("exchange_code", "done"),
        ("refresh", "done"),
        ("verify", "done"),
    ]


@pytest.mark.parametrize("fault", ["503", "500", "drop", "garbage"])
def test_a_refresh_that_serve_cannot_end_is_settled_by_resume(campaign: Campaign, fault: str) -> None:
    without_access_token(campaign, then=fault)
    link = campaign.links()["c1"]
    with campaign.serving():
        assert heading(Browser().consent(link, {"tenant-1": "Organisation 1"})) == "Almost done"
        assert campaign.invitation("c1") == ("checking", "unverified")
    assert campaign.standing("c1")[0] == "uncertain"
    assert campaign.query("SELECT count(*) FROM attempts WHERE action = 'refresh'") == [(1,)], (
        "it asks again without a pause"
    )
    campaign.provider.token_fault = ""
    campaign.provider.rotated.clear()  # what was lost may be asked again
    campaign.alter("UPDATE connections SET not_before = NULL")
    assert campaign.migrator("resume").returncode == 0
    assert campaign.standing("c1") == ("migrated", "")
    assert campaign.invitation("c1") == ("finished", "connected")


def test_who_has_won_nothing_that_works_clicks_once_more(campaign: Campaign) -> None:
    without_access_token(campaign)
    refresh_alone = campaign.provider.form

    def worthless(pair: dict[str, Any]) -> object:
        campaign.provider.refresh.clear()
        return refresh_alone(pair)

    campaign.provider.form = worthless
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        assert heading(browser.consent(link, {"tenant-1": "Organisation 1"})) == "Please click once more"
        assert campaign.invitation("c1") == ("failed", "response_lost")
        assert heading(browser.consent(link, {"tenant-1": "Organisation 1"})) == "Connected"


def test_a_code_that_wins_no_refresh_token_is_the_operators_to_mend(campaign: Campaign) -> None:
    campaign.provider.form = lambda pair: {**pair, "refresh_token": None}
    link = campaign.links()["c1"]
    with campaign.serving():
        page = Browser().consent(link, {"tenant-1": "Organisation 1"})
        assert heading(page) == "This does not work at the moment"
        assert "no_refresh_token: oauth2.scopes must contain offline_access" in campaign.log()
        assert campaign.standing("c1") == ("needs_consent", "public_app")
        assert campaign.query("SELECT outcome, problem FROM invitations WHERE outcome IS NOT NULL") == [
            ("setup", "no_refresh_token")
        ]
        campaign.provider.form = lambda pair: pair
        assert heading(Browser().consent(link, {"tenant-1": "Organisation 1"})) == "Connected"
    assert campaign.standing("c1") == ("migrated", "")


def test_a_code_whose_answer_was_not_understood_is_not_asked_again_once_it_is(campaign: Campaign) -> None:
    pairs: list[dict[str, object]] = []

    def unreadable(pair: dict[str, object]) -> object:
        pairs.append(pair)
        return {"nothing": "here"}

    campaign.provider.form = unreadable
    link = campaign.links()["c1"]
    with campaign.serving():
        assert heading(Browser().consent(link, {"tenant-1": "Organisation 1"})) == "Please click once more"
    assert campaign.standing("c1") == ("needs_consent", "response_lost")
    key = require_key(campaign.ledger, {}, None)
    with open_to_compare(campaign.ledger, key) as (_, codec):
        answer = codec.seal_answer(json.dumps(pairs[0]).encode())
    campaign.alter("UPDATE attempts SET answer = ? WHERE action = 'exchange_code'", answer)
    finished = campaign.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert campaign.standing("c1") == ("migrated", "")
    assert campaign.invitation("c1") == ("finished", "connected")
