"""The file for the mail merge, and the list of how far everybody has come."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.consent.conftest import SetCampaign
from tests.consent.support import Browser, Campaign, row

COLUMNS = ["connection_id", "organisation", "contact_email", "reason", "link", "expires_at"]


def test_everybody_who_must_consent_gets_a_link_of_their_own(set_campaign: SetCampaign) -> None:
    campaign = set_campaign([row(1), row(2, "private", plan="gold", link="theirs"), row(3)])
    campaign.alter("UPDATE connections SET state = 'migrated', reason = '' WHERE key = 'c3'")
    links = campaign.links()
    assert links.keys() == {"c1", "c2"}
    assert len(set(links.values())) == 2
    one, two = campaign.rows()
    assert list(one) == [*COLUMNS, "input_link", "plan"]
    assert (two["plan"], two["input_link"], one["plan"]) == ("gold", "theirs", "")
    assert (one["organisation"], one["contact_email"]) == ("Organisation 1", "user1@example.com")
    assert (one["reason"], two["reason"]) == ("public_app", "private_app")
    for each in (one, two):
        assert re.fullmatch(rf"{campaign.url}/c/[0-9a-hjkmnp-tv-z]{{34}}", each["link"])
        left = datetime.fromisoformat(each["expires_at"]) - datetime.now(UTC)
        assert timedelta(days=29, hours=23) < left <= timedelta(days=30)
    assert (campaign.folder / "links.csv").stat().st_mode & 0o777 == 0o600


def test_whoever_holds_a_link_gets_the_same_again_also_under_another_key(campaign: Campaign) -> None:
    before = campaign.links()
    assert campaign.migrator("ledger", "rekey").returncode == 0
    assert campaign.links("again.csv") == before
    campaign.alter(
        "UPDATE invitations SET expires_at = '2026-01-01T00:00:00.000000Z' WHERE connection_id = 1"
    )
    campaign.tokens([row(3)], "more.csv")
    after = campaign.links("later.csv", "--valid", "12h")
    assert after["c2"] == before["c2"]
    assert after["c1"] != before["c1"]
    assert after.keys() == {"c1", "c2", "c3"}
    with campaign.serving():
        assert Browser().get(after["c2"]).status_code == 200
        assert Browser().get(before["c1"]).status_code == 410


def test_a_link_is_lengthened_if_that_is_said_and_never_shortened(campaign: Campaign) -> None:
    before = campaign.links()

    def again(name: str, *options: str) -> tuple[str, dict[str, datetime]]:
        finished = campaign.migrator("reconsent", "links", "-o", name, "--public-url", campaign.url, *options)
        assert finished.returncode == 0, finished.stderr
        rows = campaign.rows(name)
        assert {row["connection_id"]: row["link"] for row in rows} == before
        return finished.stderr, {
            row["connection_id"]: datetime.fromisoformat(row["expires_at"]) for row in rows
        }

    told, ends = again("same.csv")
    assert "2 links, 0 of them new: same.csv\n" in told
    assert "2 links keep their former end: give --valid to lengthen what ends too soon" in told
    campaign.alter(
        "UPDATE invitations SET expires_at = '2099-01-01T00:00:00.000000Z' WHERE connection_id = 2"
    )
    told, longer = again("longer.csv", "--valid", "90d")
    assert "2 links, 0 of them new, 1 lengthened: longer.csv" in told
    assert "1 link ends later than that already: --valid never shortens one" in told
    assert timedelta(days=59) < longer["c1"] - ends["c1"] < timedelta(days=61)
    assert longer["c2"].year == 2099
    told, kept = again("shorter.csv", "--valid", "1h")
    assert "2 links end later than that" in told
    assert kept == longer


def test_an_invitation_that_is_over_is_not_lengthened(set_campaign: SetCampaign) -> None:
    campaign = set_campaign([row(number) for number in (1, 2, 3)])
    before = campaign.links()
    over = "2026-01-01T00:00:00.000000Z"
    campaign.alter("UPDATE invitations SET expires_at = ? WHERE connection_id = 1", over)
    campaign.alter("UPDATE invitations SET finished_at = ? WHERE connection_id = 2", over)
    campaign.alter("UPDATE connections SET state = 'migrated' WHERE id = 3")
    after = campaign.links("after.csv", "--valid", "90d")
    assert after.keys() == {"c1", "c2"}
    assert all(after[key] != before[key] for key in after), "they are invited anew"
    ends = dict(campaign.query("SELECT connection_id, min(expires_at) FROM invitations GROUP BY 1"))
    assert ends[1] == over
    ((first, second),) = campaign.query(
        "SELECT min(expires_at), max(expires_at) FROM invitations WHERE connection_id = 2"
    )
    assert second > first, "the one that was followed to its end stays as it was"
    assert campaign.query(
        "SELECT count(*) FROM invitations WHERE connection_id = 3 AND expires_at < ?", second
    ) == [(1,)]


def test_rows_that_nobody_can_be_written_to_for_are_named(set_campaign: SetCampaign) -> None:
    campaign = set_campaign(
        [row(1), row(2, contact_email=""), row(3, contact_email="n/a", organisation="Acme")]
    )
    options = ("--public-url", campaign.url)
    finished = campaign.migrator("reconsent", "links", "-o", "a.csv", *options)
    assert finished.returncode == 0
    assert finished.stderr.splitlines()[1:] == [
        "WARNING: 2 rows have no address in contact_email that a mail could go to",
        "WARNING: connection c2 (Organisation 2): contact_email is empty",
        "WARNING: connection c3 (Acme): contact_email is 'n/a'",
    ]
    assert len(campaign.rows("a.csv")) == 3, "their links can go another way"
    told = json.loads(campaign.migrator("reconsent", "links", "-o", "b.csv", "--json", *options).stdout)
    assert told["without_address"] == [
        {"connection_id": "c2", "organisation": "Organisation 2", "contact_email": ""},
        {"connection_id": "c3", "organisation": "Acme", "contact_email": "n/a"},
    ]


def test_a_file_for_excel_says_that_it_is_utf_8(set_campaign: SetCampaign) -> None:
    campaign = set_campaign([row(1, organisation="Bücher & Söhne")])
    options = ("--public-url", campaign.url)
    finished = campaign.migrator("reconsent", "links", "-o", "plain.csv", *options)
    assert "give --excel if the file is to be opened in Excel" in finished.stderr
    finished = campaign.migrator("reconsent", "links", "-o", "excel.csv", "--excel", *options)
    assert "--excel" not in finished.stderr
    plain, excel = ((campaign.folder / name).read_bytes() for name in ("plain.csv", "excel.csv"))
    assert plain.startswith(b"connection_id,"), "whoever reads it with a program gets the header as it is"
    assert excel == b"\xef\xbb\xbf" + plain


NOTHING_ELSE = {"lengthened": 0, "without_address": []}


def test_a_file_is_never_replaced_and_nobody_is_lost_where_it_cannot_be_written(campaign: Campaign) -> None:
    (campaign.folder / "mine.csv").write_text("mine")
    options = ("--public-url", campaign.url)
    for name in ("mine.csv", "nowhere/links.csv", "."):
        finished = campaign.migrator("reconsent", "links", "-o", name, *options)
        assert finished.returncode == 2, name
        assert finished.stderr.startswith("error: "), finished.stderr
    assert (campaign.folder / "mine.csv").read_text() == "mine"
    assert [path.name for path in campaign.folder.glob("*.part")] == []
    assert campaign.links().keys() == {"c1", "c2"}
    finished = campaign.migrator("reconsent", "links", "-o", "b.csv", "--json", *options)
    assert json.loads(finished.stdout) == {
        "output": "b.csv",
        "links": 2,
        "new": 0,
        "lengthened": 0,
        "without_address": [],
    }


def test_a_spreadsheet_runs_nothing_of_it(set_campaign: SetCampaign) -> None:
    campaign = set_campaign(
        [row(1, organisation="=HYPERLINK(1)", note="+A1", phone="+61 2 9999", id="-5", contact_email="@a")]
    )
    campaign.links()
    (one,) = campaign.rows()
    assert one["organisation"] == "'=HYPERLINK(1)"
    assert one["note"] == "'+A1"
    assert (one["phone"], one["id"]) == ("+61 2 9999", "-5"), "a mail merge needs them as they are"
    assert one["contact_email"].startswith("'@a")


def test_links_that_lead_to_no_redirect_uri_are_not_written(campaign: Campaign) -> None:
    finished = campaign.migrator(
        "reconsent", "links", "-o", "links.csv", "--public-url", "https://typo.example"
    )
    assert finished.returncode == 2
    assert "https://typo.example/callback" in finished.stderr
    assert not (campaign.folder / "links.csv").exists()


@pytest.mark.parametrize("command", [("links", "-o", "links.csv"), ("serve", "--port", "0")])
def test_the_redirect_uri_is_no_public_url(campaign: Campaign, command: tuple[str, ...]) -> None:
    finished = campaign.migrator("reconsent", *command, "--public-url", f"{campaign.url}/callback")
    assert finished.returncode == 2
    assert f"{campaign.url}/callback is the redirect URI" in finished.stderr
    assert f"--public-url {campaign.url}\n" in finished.stderr
    assert not (campaign.folder / "links.csv").exists()


@pytest.mark.parametrize("valid", ["0d", "x", "-1d"])
def test_a_link_that_is_never_of_use_is_not_written(campaign: Campaign, valid: str) -> None:
    finished = campaign.migrator(
        "reconsent", "links", "-o", "links.csv", "--public-url", campaign.url, "--valid", valid
    )
    assert finished.returncode == 2
    assert not (campaign.folder / "links.csv").exists()


def test_the_list_says_how_far_everybody_has_come(set_campaign: SetCampaign) -> None:
    campaign = set_campaign([row(number) for number in range(1, 8)])

    def listed() -> dict[str, str]:
        document = json.loads(campaign.migrator("reconsent", "list", "--json").stdout)
        return {entry["key"]: entry["invitation"] for entry in document}

    assert set(listed().values()) == {"not_invited"}
    links = campaign.links()
    campaign.tokens([row(8)], "more.csv")
    with campaign.serving():
        Browser().get(links["c2"])
        Browser().consent(links["c3"], {"tenant-3": "Three"})
        browser = Browser()
        browser.follow(browser.say(browser.press(links["c4"]), "access_denied"))
        Browser("another").consent(links["c5"], {"tenant-9": "Nine"})
        campaign.provider.connections_fault = "503"
        Browser().consent(links["c6"], {"tenant-6": "Six"})
    campaign.alter(
        "UPDATE invitations SET expires_at = '2026-01-01T00:00:00.000000Z' WHERE connection_id = 7"
    )
    assert listed() == {
        "c1": "invited", "c2": "opened", "c3": "finished", "c4": "refused", "c5": "failed", "c6": "checking",
        "c7": "expired", "c8": "not_invited",
    }  # fmt: skip
    text = campaign.migrator("reconsent", "list").stdout
    assert "6 users must authorise again" in text
    assert "not invited" in text
    (campaign.folder / "list.csv").write_text(campaign.migrator("reconsent", "list", "--csv").stdout)
    refused = campaign.rows("list.csv")[3]
    assert (refused["outcome"], refused["problem"]) == ("refused", "access_denied")
    assert campaign.rows("list.csv")[4]["connected"] == "Nine"
    assert "other tenant: Nine" in text
    assert refused["refused_at"] > refused["opened_at"] > refused["invited_at"] > ""


def test_the_list_stays_readable_however_many_names_there_are(set_campaign: SetCampaign) -> None:
    campaign = set_campaign([row(1, organisation="A long name; " * 20 + "Ltd"), row(2)])
    link = campaign.links()["c1"]
    tenants = {f"t{number}": f"Organisation No. {number}" for number in range(200)}
    with campaign.serving():
        Browser().consent(link, tenants)
    text = campaign.migrator("reconsent", "list").stdout
    assert "other tenant: Organisation No. 0; Organisation No. 1 and 198 more" in text
    assert max(map(len, text.splitlines())) < 250
    (listed, _) = json.loads(campaign.migrator("reconsent", "list", "--json").stdout)
    assert listed["connected"] == "; ".join(tenants.values())
    assert listed["organisation"] == "A long name; " * 20 + "Ltd"
    (campaign.folder / "list.csv").write_text(campaign.migrator("reconsent", "list", "--csv").stdout)
    assert campaign.rows("list.csv")[0]["connected"] == listed["connected"]


def test_without_the_extra_it_says_which_to_install(campaign: Campaign) -> None:
    (campaign.folder / "sitecustomize.py").write_text(
        "import sys\nfor name in ('flask', 'cheroot', 'itsdangerous'): sys.modules[name] = None\n"
    )
    environment = campaign.environment()
    for command in (("links", "-o", "links.csv"), ("serve",)):
        finished = subprocess.run(
            [sys.executable, "-m", "migrator", "reconsent", *command, "--public-url", campaign.url],
            cwd=campaign.folder,
            env={**environment, "PYTHONPATH": f"{campaign.folder}:{environment['PYTHONPATH']}"},
            text=True,
            capture_output=True,
            check=False,
        )
        assert finished.returncode == 2
        assert "pip install 'oauth-migrator[web]'" in finished.stderr
        assert "Traceback" not in finished.stderr
    assert campaign.migrator("reconsent", "list").returncode == 0
