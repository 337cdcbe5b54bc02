"""The pages: log-in, its cookie, who may send a form, and what a page must and must not hold."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from migrator.sandbox import adopt_tokens, issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import Start
from tests.sandbox.consent import asked, exchange
from tests.sandbox.support import Client


def test_a_log_in_is_remembered(client: Client, browser: Browser, partner: Row) -> None:
    browser.open(asked(client))
    assert "log-in" in browser.page.by_id
    browser.log_in(partner["contact_email"])
    assert browser.page.texts["user"] == partner["contact_email"]
    browser.open(asked(client))
    assert "allow" in browser.page.by_id
    client.advance(12 * 3600)
    browser.open(asked(client))
    assert "log-in" in browser.page.by_id


def test_a_log_in_survives_a_restart_and_a_log_out_ends_it(start: Start, partner: Row) -> None:
    client = start()
    with Browser(client.base_url) as browser:
        browser.open(asked(client))
        browser.log_in(partner["contact_email"])
        before = browser.session.cookies["sandbox_session"]
        client = start()
        browser.base_url = client.base_url
        browser.open(asked(client))
        assert browser.page.texts["user"] == partner["contact_email"]
        browser.press("log-out")
        assert "log-in" in browser.page.by_id
        browser.session.cookies.clear()
        browser.session.headers["Cookie"] = f"sandbox_session={before}"
        browser.open(asked(client))
        assert "log-in" in browser.page.by_id


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: Client, browser: Browser) -> None:
    browser.open(asked(client))
    first = browser.answer.headers["Set-Cookie"]
    assert re.fullmatch(r"sandbox_session=[\w-]{32}; Path=/; HttpOnly; SameSite=Lax", first)
    session = browser.session.cookies["sandbox_session"]
    browser.log_in("a@b.example")
    assert browser.session.cookies["sandbox_session"] != session  # nobody knows it from before


def test_a_cookie_that_we_did_not_give_is_not_given_back(client: Client, browser: Browser) -> None:
    for cookie in ("sandbox_session=a b", 'sandbox_session="x; y"', "sandbox_session=", "\xff=;;"):
        answer = client.session.get(asked(client), headers={"Cookie": cookie.encode("latin-1")})
        assert answer.status_code == 200
        assert re.match(r"sandbox_session=[\w-]+; Path", answer.headers["Set-Cookie"])


@pytest.mark.parametrize("button", ["log-in", "allow", "cancel", "log-out"])
def test_a_form_of_another_site_is_refused(
    client: Client, browser: Browser, partner: Row, button: str
) -> None:
    with Browser(client.base_url) as other:
        other.open(asked(client))
        foreign = next(field["value"] for field in other.page.fields if field["name"] == "csrf")
    browser.open(asked(client))
    if button != "log-in":
        browser.log_in(partner["contact_email"])
    data = {"action": button, "email": "a@b.example", "organisation": partner["tenant_id"]}
    for csrf in ({}, {"csrf": ""}, {"csrf": "é"}, {"csrf": foreign}):
        answer = browser.session.post(asked(client), data={**data, **csrf}, allow_redirects=False)
        assert answer.status_code == 403
        assert "Location" not in answer.headers
    assert client.stats()["tenants_connected"] == 0
    assert browser.session.post(asked(client), json=data).status_code == 415


@pytest.mark.parametrize("action", ["allow", "cancel", "nothing"])
def test_who_is_not_logged_in_decides_nothing(
    client: Client, browser: Browser, partner: Row, action: str
) -> None:
    browser.open(asked(client))
    (csrf,) = (field["value"] for field in browser.page.fields if field["name"] == "csrf")
    data = {"csrf": csrf, "action": action, "organisation": partner["tenant_id"]}
    answer = browser.session.post(asked(client), data=data, allow_redirects=False)
    assert (answer.status_code, 'id="log-in"' in answer.text) == (200, True)


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@", "@b", "a b@c", "a@b\x00", "<a@b>", f"{'a' * 250}@b.co"]
)
def test_what_is_no_address_logs_nobody_in(client: Client, browser: Browser, email: str) -> None:
    browser.open(asked(client))
    assert browser.log_in(email).status_code == 400
    assert "not an e-mail address" in browser.page.texts["problem"]
    assert "no passwords in the sandbox: any address works" in browser.text
    browser.open(asked(client))
    assert "log-in" in browser.page.by_id


def test_an_unknown_address_gets_a_user_with_one_organisation(client: Client, browser: Browser) -> None:
    browser.open(asked(client))
    browser.log_in("  New@Person.example ")
    (tenant,) = browser.organisations
    with Browser(client.base_url) as again:
        again.open(asked(client))
        again.log_in("new@person.example")
        assert again.organisations == [tenant]


def test_the_users_of_adopted_tokens_log_in_with_their_own_address(
    client: Client, browser: Browser, state: Path, partner: Row
) -> None:
    shared = {**partner, "contact_email": "Other@Owner.example", "oauth_token": "t2"}
    assert adopt_tokens(state, [shared]) == 1
    browser.open(asked(client))
    browser.log_in("other@owner.example")
    assert browser.organisations == [partner["tenant_id"]]
    browser.press("allow", partner["tenant_id"])
    pair = exchange(client, browser.fields["code"]).json()
    assert client.tenants(pair["access_token"]) == [partner["tenant_id"]]
    (entry,) = client.stats()["tokens"]
    assert (entry["connected"], entry["consents"], entry["pairs_working"]) == (True, 1, 1)


def pages(client: Client, browser: Browser) -> dict[str, str]:
    """One page of each kind, by template."""
    seen = {}
    browser.open(asked(client))
    seen["log_in"] = browser.text
    browser.log_in("nobody")
    seen["log_in with a flaw"] = browser.text
    browser.log_in("a@b.example")
    seen["choose"] = browser.text
    browser.press("allow")
    seen["choose with a flaw"] = browser.text
    browser.open(f"{client.base_url}/oauth/Authorize")
    seen["message"] = browser.text
    return seen


def test_every_page_is_plain_and_can_be_read_out(client: Client, browser: Browser) -> None:
    for name, text in pages(client, browser).items():
        assert text.startswith('<!doctype html>\n<html lang="en">'), name
        assert len(re.findall(r"<h1>[^<]+</h1>", text)) == text.count("<h1") == 1, name
        assert re.search(r"<title>[^<]+</title>", text), name
        assert "<main>" in text
        assert not re.search(r"<script|<link|<img|<iframe| src=| on\w+=|https?://|style=", text), name
        labelled = set(re.findall(r'<label for="([^"]+)"', text))
        inputs = [tag for tag in re.findall(r"<input[^>]*>", text, flags=re.S) if 'type="hidden"' not in tag]
        assert {re.findall(r'id="([^"]+)"', tag)[0] for tag in inputs} == labelled, name


def test_every_page_forbids_what_it_does_not_need(client: Client, browser: Browser) -> None:
    answers = [
        browser.open(asked(client)),
        browser.log_in("a@b.example"),
        browser.open(f"{client.base_url}/oauth/Authorize"),
    ]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_style_is_the_one_that_the_policy_allows(client: Client, browser: Browser) -> None:
    answer = browser.open(asked(client))
    (style,) = re.findall(r"<style>(.*)</style>", answer.text, flags=re.S)
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{allowed}'" in answer.headers["Content-Security-Policy"]


def test_what_others_wrote_is_shown_and_not_obeyed(client: Client, browser: Browser, state: Path) -> None:
    row = {**next(issue_tokens(state, 1, "partner=1")), "oauth_token": "hostile", "tenant_id": '"><i id=x>'}
    hostile = {**row, "organisation": "<script>alert(1)</script>", "contact_email": "\"'&@hostile.example"}
    assert adopt_tokens(state, [hostile]) == 1
    browser.open(asked(client, {"scope": "a<script>b"}))
    browser.log_in(hostile["contact_email"])
    assert "<script" not in browser.text
    assert "<i " not in browser.text
    assert browser.page.texts["user"] == hostile["contact_email"]
    assert browser.organisations == [hostile["tenant_id"]]
    assert browser.press("allow", hostile["tenant_id"]).status_code == 302


def test_a_page_takes_no_body_over_three_and_a_half_megabytes(client: Client) -> None:
    answer = client.session.post(asked(client), data={"csrf": "x" * 3_700_000})
    assert answer.status_code == 413
