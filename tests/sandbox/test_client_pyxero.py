"""pyxero, unmodified but for the hosts that it writes to, goes its ways at the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest
import xero.auth
from xero import Xero
from xero.exceptions import XeroUnauthorized

from tests.sandbox.application import Row
from tests.sandbox.browser import Browser
from tests.sandbox.support import Client

# Later Pythons than the library's say that datetime.utcnow will go.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:xero")


@pytest.fixture
def _hosts(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xero.auth, "XERO_BASE_URL", client.base_url)
    monkeypatch.setattr(
        xero.auth, "XERO_OAUTH2_AUTHORIZE_URL", f"{client.base_url}/identity/connect/authorize"
    )
    monkeypatch.setattr(xero.auth, "XERO_OAUTH2_TOKEN_URL", f"{client.base_url}/connect/token")
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def test_a_public_application_with_a_callback(client: Client, browser: Browser, partner: Row) -> None:
    credentials = xero.auth.PublicCredentials(
        client.known["public_consumer_key"],
        client.known["public_consumer_secret"],
        callback_uri=client.known["redirect_uris"][0],
        scope="payroll.employees",
        api_url=client.base_url,
    )
    back = browser.consent(credentials.url, partner["contact_email"], partner["tenant_id"])
    credentials.verify(back["oauth_verifier"])
    assert credentials.oauth_session_handle is None
    (organisation,) = Xero(credentials).organisations.all()
    assert organisation["Name"] == partner["organisation"]


@pytest.mark.parametrize("callback", [None, "oob"])
def test_a_public_application_out_of_band(
    client: Client, browser: Browser, partner: Row, callback: str | None
) -> None:
    credentials = xero.auth.PublicCredentials(
        client.known["public_consumer_key"],
        client.known["public_consumer_secret"],
        callback_uri=callback,
        api_url=client.base_url,
    )
    with pytest.raises(XeroUnauthorized, match="has not authorised"):
        credentials.verify("1234567")
    browser.open(credentials.url)
    browser.log_in(partner["contact_email"])
    browser.press("allow", partner["tenant_id"])
    credentials.verify(browser.page.texts["verifier"])
    again = xero.auth.PublicCredentials(**credentials.state, api_url=client.base_url)
    assert Xero(again).organisations.all()[0]["OrganisationID"] == partner["tenant_id"]


def test_a_partner_application_renews(client: Client, browser: Browser, partner: Row) -> None:
    credentials = xero.auth.PartnerCredentials(
        client.known["rsa_consumer_key"],
        "",
        Path(client.known["rsa_private_key_file"]).read_text(),
        callback_uri=client.known["redirect_uris"][0],
        api_url=client.base_url,
    )
    back = browser.consent(credentials.url, partner["contact_email"], partner["tenant_id"])
    credentials.verify(back["oauth_verifier"])
    tokens = {credentials.oauth_token}
    for _ in range(2):
        credentials.refresh()
        tokens.add(credentials.oauth_token)
        assert Xero(credentials).organisations.all()[0]["OrganisationID"] == partner["tenant_id"]
    assert len(tokens) == 3


@pytest.mark.usefixtures("_hosts")
def test_oauth2(client: Client, browser: Browser, partner: Row) -> None:
    credentials = xero.auth.OAuth2Credentials(
        client.known["client_id"],
        client.known["client_secret"],
        callback_uri=client.known["redirect_uris"][0],
    )
    browser.consent(credentials.generate_url(), partner["contact_email"], partner["tenant_id"])
    credentials.verify(browser.location)
    credentials.refresh()
    assert not credentials.expired()
    (tenant,) = credentials.get_tenants()
    assert credentials.get_tenants(auth_event_id=tenant["authEventId"]) == [tenant]
    credentials.set_default_tenant()
    (organisation,) = Xero(credentials).organisations.all()
    assert organisation["Name"] == partner["organisation"]
