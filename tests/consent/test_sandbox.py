"""The whole way against the sandbox, which checks everything for real and is the witness of what was won."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator import sandbox
from migrator.sandbox import Sandbox
from migrator.sandbox.issuing import client_files
from tests.consent.oauth2_provider import OAuth2Provider
from tests.consent.support import Browser as Plain
from tests.consent.support import Campaign, heading
from tests.sandbox.browser import Browser
from tests.support import fingerprint


class SandboxCampaign(Campaign):
    """A campaign with the sandbox for its provider."""

    sandbox: Sandbox
    people: dict[str, dict[str, str]]

    def at_the_provider(self, link: str) -> Browser:
        """A browser whose user has pressed the link's button, and its page of the provider."""
        browser = Browser(self.sandbox.base_url)
        plain = Plain()
        plain.session = browser.session
        browser.open(plain.press(link))
        return browser

    def back(self, browser: Browser) -> str:
        """The heading of the page that the user comes back to."""
        plain = Plain()
        plain.session = browser.session
        return heading(plain.follow(browser.location))


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[SandboxCampaign]:
    folder = tmp_path / "campaign"
    folder.mkdir()
    state = tmp_path / "sandbox.db"
    rows = sandbox.issue_tokens(state, 6, "public=4,private=2", expired=0.0, seed=3, organisations_per_user=2)
    client_files.write_tokens(folder / "tokens.csv", rows)
    made = SandboxCampaign(folder, OAuth2Provider("", ""))
    with sandbox.running(state, seed=3, redirect_uris=[f"{made.url}/callback"]) as running:
        settings = client_files.write_settings(folder, sandbox.credentials(state), running.base_url)
        text = settings.read_text("utf-8")
        start = text.index("redirect_uri")
        end = text.index("\n", start)
        settings.write_text(
            f"{text[:start]}redirect_uri = {json.dumps(made.url + '/callback')}{text[end:].rstrip()}\n"
            "timeout = 2.0\n",
            "utf-8",
        )
        made.sandbox = running
        with (folder / "tokens.csv").open(encoding="utf-8", newline="") as stream:
            people = list(csv.DictReader(stream))
        assert made.migrator("-q", "run", "tokens.csv").returncode == 0
        made.people = {person["connection_id"]: person for person in people}
        yield made


def test_users_of_the_sandbox_are_taken_through_and_it_witnesses_the_pairs(campaign: SandboxCampaign) -> None:
    links = campaign.links()
    assert links.keys() == campaign.people.keys()
    with campaign.serving():
        for key, person in campaign.people.items():
            browser = campaign.at_the_provider(links[key])
            if "log-in" in browser.page.by_id:
                browser.log_in(person["contact_email"])
            assert person["tenant_id"] in browser.organisations
            browser.press("allow", person["tenant_id"])
            assert campaign.back(browser) == "Connected"
    assert campaign.query("SELECT state, reason, count(*) FROM connections GROUP BY 1, 2") == [
        ("migrated", "", 6)
    ]
    assert campaign.sandbox.stats()["pairs_working"] == 6
    assert campaign.migrator("verify", "--all").returncode == 0
    assert campaign.migrator("refresh", "--all").returncode == 0
    exported = campaign.migrator("export", "-o", "pairs.jsonl")
    assert exported.returncode == 0, exported.stderr
    assert len((campaign.folder / "pairs.jsonl").read_text().splitlines()) == 6


def test_a_user_who_cancels_then_connects_the_wrong_one_then_the_right_one(campaign: SandboxCampaign) -> None:
    links = campaign.links()
    key, person = next(iter(campaign.people.items()))
    with campaign.serving():
        browser = campaign.at_the_provider(links[key])
        browser.log_in(person["contact_email"])
        others = [tenant for tenant in browser.organisations if tenant != person["tenant_id"]]
        browser.press("cancel")
        assert campaign.back(browser) == "Nothing was connected"
        browser = campaign.at_the_provider(links[key])
        browser.log_in(person["contact_email"])
        browser.press("allow", others[0])
        assert campaign.back(browser) == "Another organisation was connected"
        assert campaign.standing(key) == ("needs_consent", "other_tenant_connected")
        browser = campaign.at_the_provider(links[key])
        browser.log_in(person["contact_email"])
        browser.press("allow", person["tenant_id"])
        assert campaign.back(browser) == "Connected"
    assert campaign.standing(key) == ("migrated", "")


def test_a_user_with_several_is_told_apart_by_what_they_connect_now(campaign: SandboxCampaign) -> None:
    campaign.alter("UPDATE connections SET tenant_id = '', organisation = ''")
    links = campaign.links()
    with campaign.serving():
        for key, person in list(campaign.people.items())[:2]:
            browser = campaign.at_the_provider(links[key])
            browser.log_in(person["contact_email"])
            browser.press("allow", person["tenant_id"])
            assert campaign.back(browser) == "Connected"
            assert campaign.standing(key) == ("migrated", "")
            assert campaign.query("SELECT tenant_id FROM connections WHERE key = ?", key) == [
                (person["tenant_id"],)
            ]
    first, second = list(campaign.people.values())[:2]
    assert first["contact_email"] == second["contact_email"], "they are one user's"


def test_a_code_of_the_sandbox_serves_its_own_browser_alone(campaign: SandboxCampaign) -> None:
    links = campaign.links()
    (one, first), *_, (two, second) = campaign.people.items()
    with campaign.serving():
        victim, attacker = campaign.at_the_provider(links[one]), campaign.at_the_provider(links[two])
        for browser, person in ((victim, first), (attacker, second)):
            browser.log_in(person["contact_email"])
            browser.press("allow", person["tenant_id"])
        stolen = victim.fields["code"]
        mine = attacker.location.replace(attacker.fields["code"], stolen)
        plain = Plain()
        plain.session = attacker.session
        assert heading(plain.follow(mine)) == "That took too long, or happened twice"
    assert campaign.standing(two)[0] == "needs_consent"
    assert campaign.query("SELECT count(*) FROM token_pairs") == [(0,)]


def test_the_stored_pair_is_the_one_that_the_sandbox_gave(campaign: SandboxCampaign) -> None:
    from migrator.ledger.access import open_to_compare
    from migrator.ledger.file.keys import require_key

    links = campaign.links()
    key, person = next(iter(campaign.people.items()))
    with campaign.serving():
        browser = campaign.at_the_provider(links[key])
        browser.log_in(person["contact_email"])
        browser.press("allow", person["tenant_id"])
        assert campaign.back(browser) == "Connected"
    ledger_key = require_key(campaign.ledger, {}, None)
    with open_to_compare(campaign.ledger, ledger_key) as (db, codec):
        ((access, refresh),) = db.execute("SELECT access_token, refresh_token FROM token_pairs").fetchall()
        _, token = codec.open_pair(access, refresh)
    assert fingerprint(token) in json.dumps(campaign.sandbox.stats())
    assert token.reveal().encode() not in campaign.ledger.read_bytes()
