"""What the witness says of pairs that were won by consent."""

from __future__ import annotations

import jwt

from tests.sandbox.application import Row
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import Start
from tests.sandbox.consent import asked, code_of, exchange
from tests.sandbox.support import Client, digest

# The witness


def test_a_consent_is_witnessed_at_each_tenant_that_it_reaches(
    client: Client, browser: Browser, three: list[Row]
) -> None:
    tenants = [row["tenant_id"] for row in three]
    first = exchange(client, code_of(client, browser, three[0])).json()
    second = exchange(client, code_of(client, browser, three[1])).json()
    second = client.refresh(second["refresh_token"]).json()
    facts = client.stats()
    entries = {entry["tenant_id"]: entry for entry in facts["tokens"]}
    assert [entries[tenant]["consents"] for tenant in tenants] == [1, 1, 0]
    assert [entries[tenant]["connected"] for tenant in tenants] == [True, True, False]
    both = [digest(pair["refresh_token"]) for pair in (first, second)]
    assert [entries[tenant]["refresh_tokens_sha256"] for tenant in tenants] == [both, both, []]
    assert digest(second["access_token"]) in entries[tenants[0]]["access_tokens_sha256"]
    assert (facts["consents"], facts["swaps_issued"], facts["refreshes_issued"]) == (2, 0, 1)
    assert (facts["pairs_working"], facts["tenants_connected"]) == (2, 2)


def test_a_tenant_without_a_legacy_token_is_witnessed_too(
    client: Client, browser: Browser, partner: Row
) -> None:
    browser.open(asked(client))
    browser.log_in("new@person.example")
    (tenant,) = browser.organisations
    assert len(client.stats()["tokens"]) == 1  # until it is connected
    browser.press("allow", tenant)
    pair = exchange(client, browser.fields["code"]).json()
    entry = client.stats()["tokens"][1]
    user_id = jwt.decode(pair["access_token"], options={"verify_signature": False})["xero_userid"]
    assert entry == {
        "tenant_id": tenant,
        "app_type": None,
        "user_id": user_id,
        "oauth_tokens_sha256": [],
        "oauth_tokens_ever_sha256": [],
        "renewals": 0,
        "swaps": 0,
        "consents": 1,
        "refreshes": 0,
        "pairs_working": 1,
        "pairs_revoked": 0,
        "connected": True,
        "disconnections": 0,
        "refresh_tokens_sha256": [digest(pair["refresh_token"])],
        "access_tokens_sha256": [digest(pair["access_token"])],
    }
    assert client.stats()["issued"] == {"partner": 1, "public": 0, "private": 0}
    client.revoke(pair["refresh_token"])
    entry = client.stats()["tokens"][1]
    assert (entry["connected"], entry["pairs_working"], entry["pairs_revoked"]) == (False, 0, 1)
    assert (entry["consents"], entry["disconnections"]) == (1, 1)


def test_faults_befall_the_token_endpoint_and_no_page(start: Start, partner: Row) -> None:
    client = start("http-503=1")
    with Browser(client.base_url) as browser:
        code = code_of(client, browser, partner)
    assert exchange(client, code).status_code == 503
    assert client.stats()["requests"] == {"503": 1}


def test_nothing_that_was_won_is_in_the_clear(client: Client, browser: Browser, partner: Row) -> None:
    code = code_of(client, browser, partner)
    pair = exchange(client, code).json()
    text = client.session.get(f"{client.base_url}/_sandbox/stats").text
    for secret in (code, pair["access_token"], pair["refresh_token"], *browser.session.cookies.values()):
        assert secret not in text
