"""Several organisations in one consent: one pair serves them, and what becomes of it becomes of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.models import Tenant
from migrator.rules.tenants import TENANT_TYPE_MISMATCH, Covered, Waiting, covered
from tests.consent.conftest import SetCampaign
from tests.consent.support import Browser, Campaign, heading, row

MAIL = "Owner@Example.com"
ROWS = [
    row(1, contact_email=MAIL),
    row(2, contact_email="owner@example.com "),
    row(3, contact_email=MAIL, tenant_id=""),
    row(4, contact_email=MAIL),
    row(5, contact_email="another@example.com"),
]
TENANTS = {"tenant-1": "Organisation 1", "tenant-2": "Organisation 2", "t3": "ORGANISATION 3"}


@pytest.fixture
def five(set_campaign: SetCampaign) -> Campaign:
    return set_campaign(ROWS)


@pytest.fixture
def shared(five: Campaign) -> Campaign:
    """Three of five connected at once."""
    link = five.links()["c1"]
    with five.serving():
        assert heading(Browser().consent(link, TENANTS)) == "Connected"
    return five


def states(campaign: Campaign) -> dict[str, tuple[str, str]]:
    return {key: campaign.standing(key) for key in ("c1", "c2", "c3", "c4", "c5")}


NEEDS = ("needs_consent", "public_app")
DONE = ("migrated", "")


def test_one_consent_settles_all_that_it_covers_and_names_what_is_left(five: Campaign) -> None:
    links = five.links()
    with five.serving():
        browser = Browser()
        page = browser.consent(links["c1"], {**TENANTS, "tenant-5": "Organisation 5"})
        assert states(five) == {"c1": DONE, "c2": DONE, "c3": DONE, "c4": NEEDS, "c5": NEEDS}
        assert "One more organisation is still to be connected:" in page.text
        assert f'<a href="{links["c4"]}">Organisation 4</a>' in page.text
        assert "nothing more to do" not in page.text
        assert links["c5"] not in page.text, "another's address"
        again = browser.get(links["c1"])
        assert "Other organisations are still to be connected." in again.text
        for stranger in (Browser().get(f"{links['c1']}/done"), again):
            assert links["c4"] not in stranger.text
            assert "Organisation 4" not in stranger.text
        assert heading(browser.get(links["c2"])) == "Connected already"
        page = browser.consent(links["c4"], {"tenant-4": "Organisation 4"})
        assert "There is nothing more to do." in page.text
    assert five.query("SELECT tenant_id FROM connections WHERE key = 'c3'") == [("t3",)]
    assert five.invitation("c2") == ("finished", "connected")
    assert five.query("SELECT count(*) FROM token_pairs") == [(2,)], "one for three, one for the fourth"


def test_an_address_is_the_same_however_a_row_writes_it_and_a_list_is_each_ones(
    set_campaign: SetCampaign,
) -> None:
    mine = "\u00e4nn@example.com"
    campaign = set_campaign(
        [
            row(1, contact_email=mine),
            row(2, contact_email=f"Ann <{mine.upper()}>"),
            row(3, contact_email=f"{mine}; other@example.com"),
            row(4, contact_email=f"other@example.com, {mine}"),
            row(5, contact_email="other@example.com"),
            row(6, contact_email="n/a"),
            row(7, contact_email="n/a"),
        ]
    )
    links = campaign.links()
    all_ = {f"tenant-{number}": f"Organisation {number}" for number in range(1, 8)}
    with campaign.serving():
        page = Browser().consent(
            links["c1"], {key: all_[key] for key in ("tenant-1", "tenant-2", "tenant-3")}
        )
        assert "One more organisation is still to be connected:" in page.text
        assert f'<a href="{links["c4"]}">Organisation 4</a>' in page.text
        page = Browser("b").consent(links["c4"], {"tenant-4": "Organisation 4"})
        assert "Other organisations are still to be connected." in page.text, "one of the two it went to"
        assert links["c5"] not in page.text, "the other one alone was sent it"
        page = Browser("c").consent(links["c6"], {"tenant-6": "Organisation 6", "tenant-7": "Organisation 7"})
        assert "There is nothing more to do." in page.text
    waiting = campaign.query("SELECT key FROM connections WHERE state = 'needs_consent'")
    assert waiting == [("c5",), ("c7",)], "no address makes nobody the same person"


def test_who_connects_another_of_theirs_has_connected_that_one(five: Campaign) -> None:
    link = five.links()["c1"]
    with five.serving():
        page = Browser().consent(link, {"tenant-2": "Organisation 2", "tenant-4": "Organisation 4"})
        assert heading(page) == "Another organisation was connected"
    assert five.standing("c1") == ("needs_consent", "other_tenant_connected")
    assert (five.standing("c2"), five.standing("c4")) == (DONE, DONE)
    assert five.query("SELECT key, own_pair, stands_for_it FROM pairs") == [("c2", 1, 1), ("c4", 1, 1)]
    finished = five.migrator("refresh", "--all")
    assert finished.returncode == 0, finished.stderr
    assert five.provider.token_calls == 2


def test_a_second_consent_under_way_is_not_run_over(five: Campaign) -> None:
    links = five.links()
    with five.serving():
        browser = Browser()
        second = browser.allow(browser.press(links["c2"]), {"tenant-2": "Organisation 2"})
        browser.consent(links["c1"], {"tenant-1": "Organisation 1"})
        assert five.standing("c2") == DONE
        calls = five.provider.token_calls
        assert heading(browser.follow(second)) == "Connected"
        assert five.provider.token_calls == calls, "a settled one exchanges nothing"


def test_resume_shares_what_nobody_had_seen_work(five: Campaign) -> None:
    five.provider.connections_fault = "503"
    link = five.links()["c1"]
    with five.serving():
        assert heading(Browser().consent(link, TENANTS)) == "Almost done"
        assert five.standing("c2") == NEEDS
    five.provider.connections_fault = ""
    five.alter("UPDATE connections SET not_before = NULL")
    assert five.migrator("resume").returncode == 0
    assert states(five) == {"c1": DONE, "c2": DONE, "c3": DONE, "c4": NEEDS, "c5": NEEDS}


@pytest.mark.parametrize("per", ["connection", "user"])
def test_an_export_hands_the_one_living_pair_over_for_all(shared: Campaign, per: str) -> None:
    assert shared.migrator("refresh", "--all").returncode == 0
    assert shared.provider.token_calls == 2, "one refresh for all"
    finished = shared.migrator("export", "--per", per, "-o", "pairs.jsonl")
    assert finished.returncode == 0, finished.stderr
    rows = [json.loads(line) for line in (shared.folder / "pairs.jsonl").read_text().splitlines()]
    (living,) = set(shared.provider.refresh) - shared.provider.rotated
    assert {one["refresh_token"] for one in rows} == {living}
    if per == "connection":
        assert [one["connection_id"] for one in rows] == ["c1", "c2", "c3"]
    else:
        named = [one["connection_id"] for line in rows for one in line["connections"]]
        assert named == ["c1", "c2", "c3"]
    assert shared.query("SELECT count(exported_at) FROM pairs") == [(3,)]
    calls = shared.provider.token_calls
    assert shared.migrator("refresh", "--all").returncode == 0
    assert shared.provider.token_calls == calls, "it is the application's now"
    purged = shared.migrator("purge", "--yes")
    assert purged.returncode == 0, purged.stderr
    assert shared.query(
        """SELECT c.key FROM legacy_tokens l JOIN connections c ON c.id = l.connection_id
           WHERE l.material = x''"""
    ) == [("c1",), ("c2",), ("c3",)]
    assert shared.query("SELECT DISTINCT access_token FROM token_pairs") == [(b"",)]


def test_verify_asks_once_and_tells_of_each(shared: Campaign) -> None:
    finished = shared.migrator("verify", "--all")
    assert finished.returncode == 0, finished.stderr
    assert states(shared) == {"c1": DONE, "c2": DONE, "c3": DONE, "c4": NEEDS, "c5": NEEDS}
    del shared.provider.connected["user"]["tenant-2"]
    finished = shared.migrator("verify", "--all")
    assert finished.returncode == 1, finished.stderr
    assert shared.standing("c2") == ("migrated", "tenant_mismatch")
    assert "c2" in finished.stdout + finished.stderr
    assert (shared.standing("c1"), shared.standing("c3")) == (DONE, DONE)
    verified = shared.query("SELECT count(*) FROM attempts WHERE action = 'verify'")
    assert verified == [(3,)], "after the consent, and once each time"


def test_status_and_report_count_one_pair(shared: Campaign, tmp_path: Path) -> None:
    status = json.loads(shared.migrator("status", "--json").stdout)
    assert (status["states"]["migrated"], status["pairs"]["stored"], status["pairs"]["verified"]) == (3, 1, 1)
    assert shared.migrator("report", "-o", str(tmp_path / "report.csv")).returncode == 0
    with (tmp_path / "report.csv").open(encoding="utf-8", newline="") as stream:
        rows = {one["key"]: one for one in csv.DictReader(stream)}
    assert [rows[key]["state"] for key in ("c1", "c2", "c3", "c4")] == ["migrated"] * 3 + ["needs_consent"]
    assert rows["c2"]["refresh_expires_at"] == rows["c1"]["refresh_expires_at"] != ""


def test_what_becomes_of_the_pair_becomes_of_all_and_a_new_consent_serves_them_again(
    shared: Campaign,
) -> None:
    shared.provider.refresh.clear()
    assert shared.migrator("refresh", "--all", "--believe-refusals").returncode == 1
    assert set(states(shared).values()) == {("needs_consent", "grant_revoked"), NEEDS}
    assert shared.query("SELECT count(*) FROM connections WHERE served_by IS NOT NULL") == [(0,)]
    link = shared.links("again.csv")["c2"]
    with shared.serving():
        assert heading(Browser().consent(link, TENANTS)) == "Connected"
    assert states(shared) == {"c1": DONE, "c2": DONE, "c3": DONE, "c4": NEEDS, "c5": NEEDS}
    assert shared.query("SELECT DISTINCT own_pair FROM pairs") == [(2,)]


def test_a_refresh_of_which_nobody_knows_makes_all_uncertain_and_is_asked_again_once(
    shared: Campaign,
) -> None:
    shared.provider.token_fault = "500"
    shared.migrator("refresh", "--all")
    assert {shared.standing(key) for key in ("c1", "c2", "c3")} == {("uncertain", "response_lost")}
    shared.provider.token_fault = ""
    shared.alter("UPDATE connections SET not_before = NULL")
    calls = shared.provider.token_calls
    finished = shared.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert states(shared) == {"c1": DONE, "c2": DONE, "c3": DONE, "c4": NEEDS, "c5": NEEDS}
    assert shared.provider.token_calls == calls + 1
    asked = "SELECT DISTINCT connection_id FROM attempts"
    assert shared.query(asked) == [(1,)], "nothing is ever called for those that are served"


def test_revoke_treats_it_as_shared(shared: Campaign) -> None:
    refused = shared.migrator("revoke", "--yes", "c2")
    assert refused.returncode == 2
    assert "revoke c1 --shared" in refused.stderr
    refused = shared.migrator("revoke", "--yes", "c1")
    assert refused.returncode == 2
    assert "c2, c3" in refused.stderr
    assert states(shared)["c2"] == DONE
    finished = shared.migrator("revoke", "--yes", "--shared", "c1")
    assert finished.returncode == 0, finished.stderr
    assert not shared.provider.refresh
    revoked = ("needs_consent", "revoked_by_operator")
    assert states(shared) == {"c1": revoked, "c2": revoked, "c3": revoked, "c4": NEEDS, "c5": NEEDS}
    link = shared.links("again.csv")["c4"]
    shared.alter("DELETE FROM invitations WHERE finished_at IS NULL AND connection_id IN (1, 2, 3)")
    with shared.serving():
        Browser().consent(link, {**TENANTS, "tenant-4": "Organisation 4"})
    assert states(shared)["c2"] == revoked, "nobody has asked its user again"
    assert states(shared)["c4"] == DONE


# --- decisions ---


tenants = st.builds(
    Tenant,
    st.sampled_from(["t1", "T1", "t2", "t3"]),
    st.sampled_from(["", "ORGANISATION", "PRACTICE"]),
    st.sampled_from(["Acme", "Acme Ltd", "ACME ltd.", ""]),
)
waiting = st.builds(
    Waiting,
    st.integers(1, 99),
    st.sampled_from(["", "t1", "T2", "t9"]),
    st.sampled_from(["ORGANISATION", "PRACTICE"]),
    st.sampled_from(["Acme", "acme ltd", "", "—"]),
)


@given(
    st.lists(waiting, max_size=5, unique_by=lambda one: one.id),
    st.lists(tenants, max_size=4, unique_by=lambda one: one.id.lower()),
    st.sets(st.sampled_from(["t1", "t2", "t3"])),
)
def test_only_what_is_certain_is_covered(
    waiting: list[Waiting], reached: list[Tenant], claimed: set[str]
) -> None:
    found = covered(waiting, reached, reached, claimed)
    by_id = {one.id: one for one in waiting}
    for one in found:
        asked = by_id[one.connection_id]
        if asked.tenant_id:
            assert one.tenant.id.lower() == asked.tenant_id.lower()
        else:
            assert one.tenant.id.lower() not in claimed
            assert one.tenant.name
            assert asked.organisation.lower() == one.tenant.name.lower().rstrip(".")
            assert [other.tenant for other in found].count(one.tenant) == 1
    ids = {tenant.id.lower() for tenant in reached}
    certain = {one.id for one in waiting if one.tenant_id and one.tenant_id.lower() in ids}
    assert certain <= {one.connection_id for one in found}


def test_a_tenant_of_another_type_is_covered_and_told_of() -> None:
    practice = Tenant("t1", "PRACTICE", "One")
    asked = [Waiting(7, "T1", "ORGANISATION", "")]
    assert covered(asked, [practice], [], set()) == [Covered(7, practice, TENANT_TYPE_MISMATCH)]
