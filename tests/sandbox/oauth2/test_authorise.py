"""OAuth 2.0's authorisation page: what it refuses, what it connects, what comes back."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from migrator.sandbox import issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import Start
from tests.sandbox.consent import CHALLENGE, PKCE, asked, code_of, exchange
from tests.sandbox.support import Client

# What the page refuses


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "http://127.0.0.1:8766/callback/"},
        {"redirect_uri": "http://127.0.0.1:8766/callback?x"},
        {"redirect_uri": "http://127.0.0.1:8767/callback"},
        {"redirect_uri": "https://evil.example/"},
        {"client_id": "nobody", "response_type": "token"},
    ],
)
def test_where_the_way_back_is_wrong_it_is_a_page(
    client: Client, browser: Browser, changes: dict[str, str | None]
) -> None:
    answer = browser.open(asked(client, changes))
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert browser.page.texts["problem"]


def test_a_field_that_comes_twice_is_a_page(client: Client, browser: Browser) -> None:
    answer = browser.open(f"{asked(client)}&state=again")
    assert (answer.status_code, "state was given more than once" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "a  b"}, "invalid_scope"),
        ({"scope": 'a "b"'}, "invalid_scope"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({**PKCE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
        ({**PKCE, "code_challenge": "short"}, "invalid_request"),
        ({**PKCE, "code_challenge": f"{CHALLENGE}="}, "invalid_request"),
    ],
)
def test_other_flaws_go_back_with_an_error(
    client: Client, browser: Browser, changes: dict[str, str | None], error: str
) -> None:
    browser.open(asked(client, changes))
    assert browser.answer.status_code == 302
    assert browser.location.startswith(client.known["redirect_uris"][0])
    assert browser.fields.keys() == {"error", "error_description", "state"}
    assert (browser.fields["error"], browser.fields["state"]) == (error, "s &=é")


def test_the_public_client_must_use_pkce(client: Client, browser: Browser) -> None:
    browser.open(asked(client, {"code_challenge": None, "code_challenge_method": None}, public=True))
    assert browser.fields["error"] == "invalid_request"


def test_without_a_state_none_comes_back_and_a_registered_query_stays(start: Start, partner: Row) -> None:
    uri = "https://app.example/cb?tenant=a%20b"
    client = start(redirect_uris=[uri])
    with Browser(client.base_url) as browser:
        browser.consent(
            asked(client, {"state": None, "redirect_uri": uri}),
            partner["contact_email"],
            partner["tenant_id"],
        )
        assert re.fullmatch(r"https://app\.example/cb\?tenant=a%20b&code=[\w-]+", browser.location)


def test_cancelling_goes_back_and_connects_nothing(client: Client, browser: Browser, partner: Row) -> None:
    browser.open(asked(client))
    browser.log_in(partner["contact_email"])
    browser.press("cancel", partner["tenant_id"])
    assert browser.fields["error"] == "access_denied"
    assert browser.fields["state"] == "s &=é"
    assert "code" not in browser.fields
    assert client.stats()["tenants_connected"] == 0


# Which organisations


def test_an_organisation_that_is_connected_shows_as_connected_already(
    client: Client, browser: Browser, three: list[Row]
) -> None:
    code_of(client, browser, three[1])  # and the application never comes for its pair
    browser.open(asked(client))
    assert browser.text.count("(connected already)") == 1
    shown = browser.text[: browser.text.index("(connected already)")]
    assert shown.count("<label") == 2
    browser.press("allow")  # nothing further
    pair = exchange(client, browser.fields["code"]).json()
    assert client.tenants(pair["access_token"]) == [three[1]["tenant_id"]]
    assert [entry["consents"] for entry in client.stats()["tokens"]] == [0, 1, 0]


def test_who_ticks_nothing_and_has_nothing_connected_is_asked_again(
    client: Client, browser: Browser, three: list[Row]
) -> None:
    browser.open(asked(client))
    browser.log_in(three[0]["contact_email"])
    assert browser.press("allow").status_code == 400
    assert "at least one" in browser.page.texts["problem"]
    assert browser.press("allow", three[0]["tenant_id"]).status_code == 302


def test_nobody_connects_somebody_elses_organisation(
    client: Client, browser: Browser, partner: Row, three: list[Row]
) -> None:
    browser.open(asked(client))
    browser.log_in(partner["contact_email"])
    assert browser.organisations == [partner["tenant_id"]]
    browser.page.fields.append({"name": "organisation", "type": "checkbox", "value": three[0]["tenant_id"]})
    assert browser.press("allow", partner["tenant_id"], three[0]["tenant_id"]).status_code == 400
    assert client.stats()["tenants_connected"] == 0


def test_a_consent_names_its_event_in_connections_and_a_swap_none(
    client: Client, browser: Browser, state: Path
) -> None:
    rows = list(issue_tokens(state, 3, "partner=1", expired=0, organisations_per_user=3))
    swapped = client.swap(rows[0]).json()["access_token"]
    exchange(client, code_of(client, browser, rows[1]))
    events = [connection["authEventId"] for connection in client.connections(swapped).json()]
    assert events[0] is None
    assert uuid.UUID(events[1])
    only = client.session.get(
        f"{client.base_url}/connections?authEventId={events[1].upper()}",
        headers={"Authorization": f"Bearer {swapped}"},
    ).json()
    assert [connection["tenantId"] for connection in only] == [rows[1]["tenant_id"]]
    code_of(client, browser, rows[0])  # consents to what was swapped before
    client.swap(rows[1])  # and swaps what was consented to before
    first, second = (connection["authEventId"] for connection in client.connections(swapped).json())
    assert first not in {None, events[1]}
    assert second == events[1]
    code_of(client, browser, rows[1])  # again
    _, second = (connection["authEventId"] for connection in client.connections(swapped).json())
    assert second not in {None, first, events[1]}


def test_the_configuration_names_where_everything_is(client: Client) -> None:
    configuration = client.session.get(f"{client.base_url}/.well-known/openid-configuration").json()
    for name, status in [
        ("authorization_endpoint", 400),
        ("token_endpoint", 405),
        ("revocation_endpoint", 405),
        ("userinfo_endpoint", 401),
        ("jwks_uri", 200),
    ]:
        assert urlsplit(configuration[name]).netloc == urlsplit(client.base_url).netloc
        assert client.session.get(configuration[name]).status_code == status
