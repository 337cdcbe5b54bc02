"""OAuth 1.0a's three legs: request token, authorisation, access token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from migrator.sandbox import issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import Start
from tests.sandbox.oauth1.legs import KINDS, answered, ask, callback_of, page, signs_as, verify, won
from tests.sandbox.support import Client, at, digest, in_threads, problem, renewed

# The whole way


@pytest.mark.parametrize("kind", KINDS)
def test_three_legs_with_a_callback(client: Client, browser: Browser, state: Path, kind: str) -> None:
    row = next(issue_tokens(state, 1, "private=1"))
    token = answered(ask(client, f"{callback_of(client)}?mine=1", kind))
    back = browser.consent(page(client, token), row["contact_email"], row["tenant_id"])
    assert browser.answer.status_code == 302
    assert browser.location.startswith(f"{callback_of(client)}?mine=1&")
    assert back.keys() == {"mine", "oauth_token", "oauth_verifier", "org"}
    assert back["oauth_token"] == token["oauth_token"]
    assert len(back["org"]) == 6
    fields = answered(verify(client, token, back["oauth_verifier"], kind))
    expected = {"oauth_token", "oauth_token_secret", "oauth_expires_in", "xero_org_muid"}
    if kind != "public":
        expected |= {"oauth_session_handle", "oauth_authorization_expires_in"}
        assert int(fields["oauth_authorization_expires_in"]) > 1800
    assert fields.keys() == expected
    assert (fields["oauth_expires_in"], fields["xero_org_muid"]) == ("1800", row["tenant_id"])
    assert fields["oauth_token"] != token["oauth_token"]


@pytest.mark.parametrize("kind", KINDS)
def test_three_legs_with_a_pin(client: Client, browser: Browser, partner: Row, kind: str) -> None:
    token = answered(ask(client, "oob", kind))
    browser.open(page(client, token))
    browser.log_in(partner["contact_email"].upper())
    browser.press("allow", partner["tenant_id"])
    assert browser.answer.status_code == 200
    pin = browser.page.texts["verifier"]
    assert browser.page.by_id["verifier"]["tag"] == "code"
    assert len(pin) == 7
    assert pin.isdecimal()
    assert answered(verify(client, token, pin, kind))["xero_org_muid"] == partner["tenant_id"]


def test_a_partners_token_is_renewed_and_swapped_and_the_witness_knows_it(
    client: Client, browser: Browser, state: Path
) -> None:
    row = next(issue_tokens(state, 1, "private=1"))
    fields = {**row, "app_type": "partner", **won(client, browser, row)}
    entries = {entry["app_type"]: entry for entry in client.stats()["tokens"]}
    assert entries["partner"]["oauth_tokens_sha256"] == [digest(fields["oauth_token"])]
    assert entries["partner"]["tenant_id"] == entries["private"]["tenant_id"] == row["tenant_id"]
    assert entries["partner"]["user_id"] == entries["private"]["user_id"]
    client.advance(1801)
    assert problem(client.organisation_signed(fields, **moved(client))) == "token_expired"
    fresh = renewed(fields, client.renew(fields, **moved(client)))
    assert client.swap(fresh, **moved(client)).status_code == 200
    entries = {entry["app_type"]: entry for entry in client.stats()["tokens"]}
    assert (entries["partner"]["swaps"], entries["partner"]["renewals"]) == (1, 1)
    facts = client.stats()
    assert (facts["authorisations"], facts["issued"]) == (1, {"partner": 1, "public": 0, "private": 1})


def moved(client: Client) -> dict[str, Any]:
    """The ``timestamp`` of a call on a clock that was moved on."""
    return {"timestamp": at(client.stats()["clock_advanced_seconds"])}


def test_a_public_token_works_for_its_time_and_is_neither_renewed_nor_swapped(
    client: Client, browser: Browser, partner: Row
) -> None:
    public = signs_as(client, "public")
    fields = {**partner, **won(client, browser, partner, "public")}
    for signer in (public, {}):
        assert problem(client.swap(fields, **signer)) == "permission_denied"
        assert problem(client.renew(fields, **signer)) == "permission_denied"
    answer = client.organisation_signed(fields, **public)
    assert answer.json()["Organisations"][0]["OrganisationID"] == partner["tenant_id"]
    client.advance(1801)
    assert problem(client.organisation_signed(fields, **public, **moved(client))) == "token_expired"


def test_the_public_application_may_not_sign_with_a_partners_token(client: Client, partner: Row) -> None:
    public = signs_as(client, "public")
    for answer in (client.swap(partner, **public), client.organisation_signed(partner, **public)):
        assert (answer.status_code, problem(answer)) == (401, "token_rejected")


def test_authorising_again_leaves_the_earlier_token_alive(
    client: Client, browser: Browser, partner: Row
) -> None:
    fields = won(client, browser, partner)
    (entry,) = client.stats()["tokens"]
    assert set(entry["oauth_tokens_sha256"]) == {
        digest(partner["oauth_token"]),
        digest(fields["oauth_token"]),
    }
    assert client.organisation_signed(partner).status_code == 200


# What the second leg refuses


def test_cancelling_goes_back_with_a_problem(client: Client, browser: Browser, partner: Row) -> None:
    token = answered(ask(client, callback_of(client)))
    browser.open(page(client, token))
    browser.log_in(partner["contact_email"])
    browser.press("cancel")
    assert browser.fields == {"oauth_token": token["oauth_token"], "oauth_problem": "permission_denied"}
    assert problem(verify(client, token, "0")) == "permission_denied"
    assert browser.open(page(client, token)).status_code == 400


def test_cancelling_without_a_callback_is_said(client: Client, browser: Browser, partner: Row) -> None:
    token = answered(ask(client))
    browser.open(page(client, token))
    browser.log_in(partner["contact_email"])
    browser.press("cancel")
    assert browser.answer.status_code == 200
    assert "no access" in browser.text
    assert "verifier" not in browser.page.by_id


def test_one_organisation_must_be_chosen(client: Client, browser: Browser, state: Path) -> None:
    rows = list(issue_tokens(state, 2, "partner=1", expired=0, organisations_per_user=2))
    stranger = next(issue_tokens(state, 1, "partner=1", expired=0))
    token = answered(ask(client, callback_of(client)))
    browser.open(page(client, token))
    browser.log_in(rows[0]["contact_email"])
    assert browser.organisations == [row["tenant_id"] for row in rows]
    for chosen in ((), browser.organisations):
        assert browser.press("allow", *chosen).status_code == 400
        assert "Choose one organisation" in browser.page.texts["problem"]
    own, foreign = rows[0]["tenant_id"], stranger["tenant_id"]
    browser.page.fields.append({"name": "organisation", "type": "radio", "value": foreign})
    assert browser.press("allow", foreign).status_code == 400
    assert browser.press("allow", own).status_code == 302


@pytest.mark.parametrize("query", ["", "oauth_token=", "oauth_token=unknown", "oauth_token=%ff"])
def test_a_link_that_does_not_work_is_a_page(client: Client, browser: Browser, query: str) -> None:
    answer = browser.open(f"{client.base_url}/oauth/Authorize?{query}")
    assert answer.status_code == 400
    assert "unknown" in browser.page.texts["problem"]


def test_a_request_token_is_decided_about_once(client: Client, browser: Browser, partner: Row) -> None:
    token = answered(ask(client, callback_of(client)))
    browser.consent(page(client, token), partner["contact_email"], partner["tenant_id"])
    for _ in range(2):
        assert browser.open(page(client, token)).status_code == 400
        assert "organisation" not in [field.get("name") for field in browser.page.fields]


# What the third leg refuses


@pytest.fixture
def allowed(client: Client, browser: Browser, partner: Row) -> Callable[[], tuple[Mapping[str, str], str]]:
    """Makes request tokens that a user has allowed; gives each with its verifier."""

    def make() -> tuple[Mapping[str, str], str]:
        token = answered(ask(client, callback_of(client)))
        back = browser.consent(page(client, token), partner["contact_email"], partner["tenant_id"])
        return token, back["oauth_verifier"]

    return make


Allowed = Callable[[], tuple[Mapping[str, str], str]]


def test_a_verifier_serves_once(client: Client, allowed: Allowed) -> None:
    token, verifier = allowed()
    statuses: list[int] = []
    in_threads(*[lambda: statuses.append(verify(client, token, verifier).status_code)] * 4)
    assert sorted(statuses) == [200, 401, 401, 401]
    assert problem(verify(client, token, verifier)) == "token_used"
    assert client.stats()["authorisations"] == 1


def test_a_wrong_verifier_is_refused_and_the_right_one_still_serves(client: Client, allowed: Allowed) -> None:
    token, verifier = allowed()
    _, other = allowed()
    for wrong in (other, f"{verifier}0", verifier[:-1], "é"):
        answer = verify(client, token, wrong)
        assert (answer.status_code, problem(answer)) == (401, "verifier_invalid")
    assert verify(client, token, verifier).status_code == 200


def test_nobody_elses_request_token_is_exchanged(client: Client, allowed: Allowed) -> None:
    token, verifier = allowed()
    for kind in ("rsa", "public"):
        assert problem(verify(client, token, verifier, kind)) == "token_rejected"
    unknown = {**token, "oauth_token": "unknown"}
    assert problem(verify(client, unknown, verifier)) == "token_rejected"
    wrong_secret = {**token, "oauth_token_secret": "wrong"}
    assert problem(verify(client, wrong_secret, verifier)) == "signature_invalid"


def test_before_the_user_has_said_anything_it_is_refused(client: Client) -> None:
    token = answered(ask(client))
    assert problem(verify(client, token, "1234567")) == "permission_unknown"


def test_a_request_token_lives_half_an_hour(client: Client, browser: Browser, allowed: Allowed) -> None:
    token, verifier = allowed()
    undecided = answered(ask(client))
    client.advance(1801)
    assert problem(verify(client, token, verifier, **moved(client))) == "token_expired"
    assert browser.open(page(client, undecided)).status_code == 400


def test_without_a_verifier_or_a_handle_it_is_a_bad_request(client: Client, allowed: Allowed) -> None:
    token, _ = allowed()
    answer = client.send(token, "POST", "/oauth/AccessToken")
    assert (answer.status_code, problem(answer)) == (400, "parameter_absent")


def test_a_request_token_opens_nothing_else(client: Client, partner: Row, allowed: Allowed) -> None:
    token, _ = allowed()
    as_row = {**partner, **token}
    for answer in (client.swap(as_row), client.renew(as_row), client.organisation_signed(as_row)):
        assert problem(answer) == "token_rejected"


def test_three_legs_survive_a_restart(start: Start, partner: Row) -> None:
    client = start()
    token = answered(ask(client, callback_of(client)))
    with Browser(client.base_url) as browser:
        back = browser.consent(page(client, token), partner["contact_email"], partner["tenant_id"])
    assert verify(start(), token, back["oauth_verifier"]).status_code == 200


def test_behind_a_proxy_that_speaks_tls_signatures_are_of_https(client: Client, partner: Row) -> None:
    path = "/api.xro/2.0/Organisation"
    for forwarded, host, status in (("https", "api.xero.com", 200), ("http", "api.xero.com", 401)):
        uri, headers, _ = client.signer(partner).sign(f"https://{host}{path}", "GET")
        answer = client.session.get(
            f"{client.base_url}{urlsplit(uri).path}",
            headers={**headers, "Host": host, "X-Forwarded-Proto": forwarded},
        )
        assert answer.status_code == status
