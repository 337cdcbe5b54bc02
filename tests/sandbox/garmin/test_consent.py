"""Garmin's consent: a page with nothing to choose, PKCE, and no scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from migrator.sandbox import issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.browser import Browser
from tests.sandbox.consent import PKCE, VERIFIER
from tests.sandbox.garmin.support import GarminClient, error, failure


@pytest.fixture
def browser(client: GarminClient) -> Iterator[Browser]:
    """A browser of somebody who has not logged in."""
    with Browser(client.base_url) as opened:
        yield opened


def asked(client: GarminClient, changes: Mapping[str, str | None] | None = None) -> str:
    """The URL of an authorisation request; ``changes`` override its fields, None leaves one out."""
    fields: dict[str, str | None] = {
        "response_type": "code",
        "client_id": client.known["consumer_key"],
        "redirect_uri": client.known["redirect_uris"][0],
        "state": "s",
        **PKCE,
        **(changes or {}),
    }
    query = urlencode({name: value for name, value in fields.items() if value is not None})
    return f"{client.base_url}/oauth2Confirm?{query}"


def exchange(
    client: GarminClient, code: str, changes: Mapping[str, str | None] | None = None
) -> requests.Response:
    """Turn a code into a pair."""
    fields: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.known["redirect_uris"][0],
        "code_verifier": VERIFIER,
    }
    return client.token({**fields, **(changes or {})})


def test_a_consent_wins_a_pair_of_that_user(client: GarminClient, browser: Browser, row: Row) -> None:
    browser.open(asked(client))
    browser.log_in(row["contact_email"])
    assert browser.organisations == []
    assert "rganisation" not in browser.text
    browser.press("allow")
    assert browser.fields["state"] == "s"
    answer = exchange(client, browser.fields["code"])
    pair = answer.json()
    assert (answer.status_code, pair["expires_in"]) == (200, 86400)
    swapped = client.exchange(row).json()
    assert (pair.keys(), pair["scope"]) == (swapped.keys(), swapped["scope"])
    assert client.user(pair["access_token"]).json() == client.user_signed(row).json()
    assert client.renewed(pair["refresh_token"]).status_code == 200
    facts = client.stats()
    assert (facts["consents"], facts["swaps_issued"], facts["tokens"][0]["consents"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "any"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_what_may_not_be_asked(
    client: GarminClient, browser: Browser, changes: dict[str, str | None], word: str
) -> None:
    browser.open(asked(client, changes))
    assert browser.fields["error"] == word


@pytest.mark.parametrize("changes", [{"client_id": "nobody"}, {"redirect_uri": "https://elsewhere.example/"}])
def test_nobody_is_sent_to_a_stranger(
    client: GarminClient, browser: Browser, changes: dict[str, str | None]
) -> None:
    assert browser.open(asked(client, changes)).status_code == 400


def test_a_user_may_cancel_or_be_somebody_else(client: GarminClient, browser: Browser, state: Path) -> None:
    first, second = issue_tokens(state, 2)
    browser.open(asked(client))
    browser.log_in(first["contact_email"])
    browser.press("cancel")
    assert browser.fields["error"] == "access_denied"
    browser.open(asked(client))
    browser.press("log-out")
    browser.log_in(second["contact_email"])
    browser.press("allow")
    pair = exchange(client, browser.fields["code"]).json()
    assert client.user(pair["access_token"]).json() == client.user_signed(second).json()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"redirect_uri": "https://elsewhere.example/"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
    ],
)
def test_a_code_is_good_for_who_asked(
    client: GarminClient, browser: Browser, row: Row, changes: dict[str, str | None], word: str
) -> None:
    code = browser.consent(asked(client), row["contact_email"])["code"]
    assert error(exchange(client, code, changes)) == (400, word)
    assert exchange(client, code).status_code == 200


def test_a_code_serves_once_and_soon(client: GarminClient, browser: Browser, row: Row) -> None:
    code = browser.consent(asked(client), row["contact_email"])["code"]
    pair = exchange(client, code).json()
    assert error(exchange(client, code)) == (400, "invalid_grant")
    assert failure(client.user(pair["access_token"])) == 401
    code = browser.consent(asked(client), row["contact_email"])["code"]
    client.advance(301)
    assert error(exchange(client, code)) == (400, "invalid_grant")


def test_the_end_of_a_registration_ends_what_a_consent_won(
    client: GarminClient, browser: Browser, row: Row
) -> None:
    pair = exchange(client, browser.consent(asked(client), row["contact_email"])["code"]).json()
    swapped = client.exchange(row).json()
    assert client.deregister(swapped["access_token"]).status_code == 204
    assert failure(client.user(pair["access_token"])) == 401
