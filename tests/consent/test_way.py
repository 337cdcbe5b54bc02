"""A user's way from the link to the pair in the ledger, and everything that can happen to them on it."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from migrator import ledger as ledgers
from tests.consent.conftest import SetCampaign
from tests.consent.support import PATIENCE, Browser, Campaign, heading, query_of, row, until


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


def test_another_organisation_is_named_and_another_try_is_offered(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        page = browser.consent(link, {"tenant-9": "Wrong & Sons"})
        assert heading(page) == "Another organisation was connected"
        assert "You connected Wrong &amp; Sons." in page.text
        assert "Organisation 1" in page.text
        assert campaign.standing("c1") == ("needs_consent", "other_tenant_connected")
        assert campaign.invitation("c1") == ("failed", "other_tenant")
        assert campaign.query("SELECT count(*) FROM token_pairs") == [(1,)], "the pair is kept"
        assert campaign.query("SELECT count(*) FROM pairs") == [(0,)], "and stands for nothing"
        assert heading(browser.consent(link, {"tenant-1": "Organisation 1"})) == "Connected"
    assert campaign.standing("c1") == ("migrated", "")


def test_no_organisation_at_all_is_not_connected(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        assert heading(Browser().consent(link, {})) == "No organisation was connected"
    assert campaign.standing("c1") == ("needs_consent", "no_tenant_connected")


@pytest.mark.parametrize(
    ("tenants", "standing", "tenant_id"),
    [
        ({"t1": "One"}, ("migrated", ""), "t1"),
        ({"t1": "One", "t2": "Two"}, ("migrated", "several_tenants"), ""),
    ],
)
def test_a_tenant_that_nobody_named_is_adopted_if_there_is_one_alone(
    set_campaign: SetCampaign, tenants: dict[str, str], standing: tuple[str, str], tenant_id: str
) -> None:
    campaign = set_campaign([row(1, tenant_id="", organisation="")])
    link = campaign.links()["c1"]
    with campaign.serving():
        page = Browser().consent(link, tenants)
    assert heading(page) == "Connected"
    assert f"Thank you. {' and '.join(tenants.values())} " in page.text
    assert campaign.standing("c1") == standing
    (listed,) = json.loads(campaign.migrator("reconsent", "list", "--json").stdout)
    assert listed["connected"] == "; ".join(tenants.values())
    assert campaign.query("SELECT tenant_id FROM connections") == [(tenant_id,)]
    found = campaign.query("SELECT key FROM problems")
    assert found == ([] if tenant_id else [("c1",)])


def test_where_only_the_name_is_known_another_one_is_asked_about(set_campaign: SetCampaign) -> None:
    campaign = set_campaign([row(1, tenant_id="", organisation="Smith & Sons"), row(2)])
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        page = browser.consent(link, {"t9": "Bread Ltd"})
        assert heading(page) == "Is this the right organisation?"
        assert "You connected Bread Ltd." in page.text
        assert "Smith &amp; Sons" in page.text
        assert campaign.standing("c1") == ("needs_consent", "other_tenant_connected")
        assert campaign.invitation("c1") == ("failed", "other_name")
        assert heading(browser.consent(link, {"t9": "Bread Ltd"})) == "Connected", (
            "chosen again, it is the one"
        )
    assert campaign.standing("c1") == ("migrated", "")
    assert campaign.query("SELECT tenant_id FROM connections WHERE key = 'c1'") == [("t9",)]


def test_only_what_the_page_has_told_counts_as_confirmed(set_campaign: SetCampaign) -> None:
    campaign = set_campaign([row(1, tenant_id="", organisation="Smith & Sons")])
    link = campaign.links()["c1"]
    with campaign.serving():
        browser = Browser()
        tabs = [browser.allow(browser.press(link), {"t9": "Bread Ltd"}) for _ in range(2)]
        for callback in tabs:
            assert heading(browser.follow(callback)) == "Is this the right organisation?"
        another = Browser("another").consent(link, {"t8": "Bread Ltd"})
        assert heading(another) == "Is this the right organisation?", "it has the name, and is another"
    assert campaign.standing("c1") == ("needs_consent", "other_tenant_connected")


def test_where_only_the_name_is_known_the_tenant_of_that_name_is_the_one(set_campaign: SetCampaign) -> None:
    campaign = set_campaign([row(1, tenant_id="", organisation="smith & sons")])
    with campaign.serving():
        tenants = {"t9": "Bread Ltd", "t1": "Smith & Sons (2019) Ltd"}
        assert heading(Browser().consent(campaign.links()["c1"], tenants)) == "Connected"
    assert campaign.standing("c1") == ("migrated", "")
    assert campaign.query("SELECT tenant_id FROM connections") == [("t1",)]


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


@pytest.mark.parametrize("fault", ["503", "401", "drop"])
def test_a_pair_that_nobody_could_see_work_is_settled_by_resume(campaign: Campaign, fault: str) -> None:
    link = campaign.links()["c1"]
    campaign.provider.connections_fault = fault
    with campaign.serving():
        browser = Browser()
        page = browser.consent(link, {"tenant-1": "Organisation 1"})
        assert heading(page) == "Almost done"
        assert f'href="{link}"' in page.text, "it says where to look again"
        assert campaign.standing("c1") == ("uncertain", "unverified_pair")
        assert campaign.invitation("c1") == ("checking", "unverified")
    if fault == "401":  # then only the refresh token can show anything
        return
    campaign.provider.connections_fault = ""
    campaign.alter("UPDATE connections SET not_before = NULL")
    finished = campaign.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert campaign.standing("c1") == ("migrated", "")
    assert "swap" not in {action for (action,) in campaign.query("SELECT action FROM attempts")}


def test_a_pair_that_nobody_could_see_work_is_looked_after_and_its_user_told(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    campaign.provider.connections_fault = "503"
    with campaign.serving():
        browser = Browser()
        assert heading(browser.consent(link, {"tenant-9": "Wrong & Sons"})) == "Almost done"
        campaign.provider.connections_fault = ""
        campaign.alter("UPDATE connections SET not_before = NULL")
        until(lambda: heading(browser.get(link)) == "Another organisation was connected")
        assert "You connected Wrong &amp; Sons." in browser.get(link).text


def test_a_second_visit_that_wins_nothing_takes_nothing_away(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    campaign.settings(timeout="10.0")
    campaign.provider.connections_fault = "503"
    with campaign.serving():
        browser = Browser()
        first, second = (browser.allow(browser.press(link), {"tenant-1": "Organisation 1"}) for _ in "12")
        campaign.provider.delay = 1.0
        with ThreadPoolExecutor(2) as pool:
            late = pool.submit(lambda: heading(browser.follow(second)))
            until(lambda: campaign.provider.token_calls == 1)
            campaign.provider.delay = 0.0
            assert heading(browser.follow(first)) == "Almost done"
            campaign.provider.codes.clear()
            assert late.result(PATIENCE) == "Almost done"
        assert campaign.standing("c1") == ("uncertain", "unverified_pair")
        assert campaign.query("SELECT outcome FROM attempts WHERE action = 'exchange_code'") == [
            ("over",),
            ("done",),
        ]
        campaign.provider.connections_fault = ""
        campaign.alter("UPDATE connections SET not_before = NULL")
        until(lambda: campaign.standing("c1") == ("migrated", ""))


def test_who_loads_the_callback_again_meanwhile_is_asked_for_a_moment(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    campaign.provider.delay = 2.0
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
            assert coming.result(PATIENCE) == "Connected"
        assert heading(browser.get(link)) == "Connected already"
    assert campaign.provider.token_calls == 1


def test_a_client_secret_may_hold_any_letters(set_campaign: SetCampaign) -> None:
    campaign = set_campaign()
    campaign.provider.client_secret = "pässwört€"
    campaign.settings()
    with campaign.serving():
        browser = Browser()
        page = browser.consent(campaign.links()["c1"], {"tenant-1": "Organisation 1"})
        assert heading(page) == "Connected"


def test_resume_tells_several_apart_as_serve_does(set_campaign: SetCampaign) -> None:
    campaign = set_campaign([row(1, tenant_id="", organisation=""), row(2, tenant_id="", organisation="")])
    links = campaign.links()
    with campaign.serving():
        browser = Browser()
        browser.consent(links["c1"], {"t1": "One"})
        campaign.provider.connections_fault = "503"
        assert heading(browser.consent(links["c2"], {"t2": "Two"})) == "Almost done"
    campaign.provider.connections_fault = ""
    campaign.alter("UPDATE connections SET not_before = NULL")
    assert campaign.migrator("resume").returncode == 0
    assert campaign.query("SELECT tenant_id, state FROM connections ORDER BY id") == [
        ("t1", "migrated"),
        ("t2", "migrated"),
    ]


def test_what_resume_finds_out_is_told_behind_the_same_link(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    campaign.provider.connections_fault = "503"
    with campaign.serving():
        browser = Browser()
        browser.consent(link, {"tenant-9": "Wrong"})
        campaign.provider.connections_fault = ""
        campaign.alter("UPDATE connections SET not_before = NULL")
        assert campaign.migrator("resume").returncode == 0
        assert campaign.standing("c1") == ("needs_consent", "other_tenant_connected")
        assert campaign.invitation("c1") == ("failed", "other_tenant")
        assert heading(browser.get(link)) == "Another organisation was connected"
        assert heading(browser.consent(link, {"tenant-1": "Organisation 1"})) == "Connected"
    assert campaign.invitation("c1") == ("finished", "connected")


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


def test_why_now_keeps_its_story_after_a_mishap(campaign: Campaign) -> None:
    story = "Connections of your kind cannot be moved to the new way without you."
    link = campaign.links()["c1"]
    with campaign.serving():
        page = Browser().consent(link, {"tenant-9": "Wrong Inc."})
        assert campaign.standing("c1") == ("needs_consent", "other_tenant_connected")
        assert story in page.text
        assert "You connected Wrong Inc. Ledgerly needs" in page.text, "no name ends in two full stops"
        campaign.alter("UPDATE invitations SET expires_at = '2026-01-01T00:00:00.000000Z'")
        again = campaign.links("again.csv")["c1"]
        assert again != link
        assert story in Browser().get(again).text, "a new link keeps it too"


def test_a_link_that_ends_while_its_user_is_away_says_what_was_connected(campaign: Campaign) -> None:
    links = campaign.links()
    with campaign.serving():
        one, two = Browser("one"), Browser("two")
        callbacks = [
            one.allow(one.press(links["c1"]), {"tenant-1": "Organisation 1"}),
            two.allow(two.press(links["c2"]), {"tenant-9": "Wrong & Sons"}),
        ]
        campaign.alter("UPDATE invitations SET expires_at = '2026-01-01T00:00:00.000000Z'")
        assert heading(one.follow(callbacks[0])) == "Connected"
        page = two.follow(callbacks[1])
        assert (page.status_code, heading(page)) == (410, "This link has ended")
        assert "You connected Wrong &amp; Sons. Ledgerly needs Organisation 2." in page.text
        assert "ask whoever sent it" in page.text
        assert "try again" not in page.text


def test_who_finds_the_organisation_missing_is_told_how_to_go_on(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    connections: tuple[dict[str, str], ...] = ({"tenant-9": "Wrong & Sons"}, {})
    with campaign.serving():
        for connects in connections:
            page = Browser(f"user of {len(connects)}").consent(link, connects)
            assert "Log out at Xero first, or open this link in a private window" in page.text
            assert "please pass the e-mail with the link on to them" in page.text


def test_an_old_a_used_and_an_unneeded_link_each_say_so(set_campaign: SetCampaign) -> None:
    campaign = set_campaign([row(number) for number in (1, 2, 3)])
    links = campaign.links()
    with campaign.serving():
        browser = Browser()
        campaign.alter(
            "UPDATE invitations SET expires_at = '2026-01-01T00:00:00.000000Z' WHERE connection_id = 1"
        )
        page = browser.get(links["c1"])
        assert (page.status_code, heading(page)) == (410, "This link has ended")
        assert browser.post(f"{links['c1']}/start").headers["Location"] == links["c1"]
        assert campaign.invitation("c1") == ("expired", None)
        assert heading(browser.consent(links["c2"], {"tenant-2": "Two"})) == "Connected"
        campaign.alter(
            "UPDATE connections SET state = 'needs_consent', reason = 'grant_revoked' WHERE id = 2"
        )
        page = browser.get(links["c2"])
        assert (page.status_code, heading(page)) == (410, "This link was used already")
        assert campaign.invitation("c2")[0] == "not_invited", "a new link is due"
        campaign.alter("UPDATE connections SET state = 'pending' WHERE id = 3")
        page = browser.get(links["c3"])
        assert (page.status_code, heading(page)) == (200, "There is nothing to do for you at the moment")
        assert browser.get(f"{links['c3']}/done").headers["Location"] == links["c3"]
    again = campaign.links("again.csv")
    assert again.keys() == {"c1", "c2"}
    assert all(again[key] != links[key] for key in again)


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


def test_a_code_that_wins_no_access_token_is_settled_by_resume(campaign: Campaign) -> None:
    campaign.provider.form = lambda pair: {"refresh_token": pair["refresh_token"]}
    link = campaign.links()["c1"]
    with campaign.serving():
        assert heading(Browser().consent(link, {"tenant-1": "Organisation 1"})) == "Almost done"
    assert campaign.standing("c1") == ("uncertain", "unverified_pair")
    campaign.provider.form = lambda pair: pair
    until(lambda: campaign.migrator("resume").returncode == 0)
    assert campaign.standing("c1") == ("migrated", "")
    assert campaign.invitation("c1") == ("finished", "connected")


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
    key = ledgers.require_key(campaign.ledger, {}, None)
    with ledgers.open_to_compare(campaign.ledger, key) as (_, codec):
        answer = codec.seal_answer(json.dumps(pairs[0]).encode())
    campaign.alter("UPDATE attempts SET answer = ? WHERE action = 'exchange_code'", answer)
    finished = campaign.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert campaign.standing("c1") == ("migrated", "")
    assert campaign.invitation("c1") == ("finished", "connected")
