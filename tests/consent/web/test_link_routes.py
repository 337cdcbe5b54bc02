"""What a link says: why now, that it has ended, that it was used, that nothing is to do."""

from __future__ import annotations

from tests.consent.conftest import SetCampaign
from tests.consent.support import Browser, Campaign, heading, row


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
