"""A new pair is seen to reach what was asked for, or something else."""

from __future__ import annotations

import json

import pytest

from tests.consent.conftest import SetCampaign
from tests.consent.support import Browser, Campaign, heading, row, until


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
