"""The 25 organisations of an application that is not certified."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from migrator.sandbox import issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import Start
from tests.sandbox.consent import asked
from tests.sandbox.support import Client


def connect_many(client: Client, rows: Sequence[Row]) -> list[int]:
    """The statuses of swaps."""
    return [client.swap(row).status_code for row in rows]


def test_an_uncertified_application_holds_twenty_five_organisations(start: Start, state: Path) -> None:
    client = start(certified=False)
    rows = list(issue_tokens(state, 27, "partner=1", expired=0, organisations_per_user=1))
    assert connect_many(client, rows[:25]) == [200] * 25
    refused = client.swap(rows[25])
    assert refused.status_code == 403
    assert "not certified" in refused.json()["errors"][0]
    with Browser(client.base_url) as browser:
        browser.open(asked(client))
        browser.log_in(rows[26]["contact_email"])
        assert browser.press("allow", rows[26]["tenant_id"]).status_code == 403
        assert "not certified" in browser.page.texts["problem"]
    facts = client.stats()
    assert (facts["tenants_connected"], facts["swaps_issued"], facts["pairs_working"]) == (25, 25, 25)
    again = client.swap(rows[0])
    assert again.status_code == 200  # it is connected
    (connection,) = client.connections(again.json()["access_token"]).json()
    client.disconnect(again.json()["access_token"], connection["id"])
    assert client.swap(rows[25]).status_code == 200


def test_a_consent_counts_all_that_it_ticks(start: Start, state: Path) -> None:
    client = start(certified=False)
    rows = list(issue_tokens(state, 24, "partner=1", expired=0, organisations_per_user=1))
    assert connect_many(client, rows) == [200] * 24
    two = list(issue_tokens(state, 2, "public=1", organisations_per_user=2))
    with Browser(client.base_url) as browser:
        browser.open(asked(client))
        browser.log_in(two[0]["contact_email"])
        assert browser.press("allow", *browser.organisations).status_code == 403
        browser.open(asked(client))
        assert browser.press("allow", two[0]["tenant_id"]).status_code == 302


def test_who_has_more_already_keeps_them_and_gets_no_further(start: Start, state: Path) -> None:
    rows = list(issue_tokens(state, 28, "partner=1", expired=0, organisations_per_user=1))
    assert connect_many(start(), rows[:27]) == [200] * 27
    assert connect_many(start(certified=False), [rows[0], rows[27]]) == [200, 403]


def test_a_certified_application_holds_more(client: Client, state: Path) -> None:
    rows = list(issue_tokens(state, 26, "partner=1", expired=0, organisations_per_user=1))
    assert connect_many(client, rows) == [200] * 26
