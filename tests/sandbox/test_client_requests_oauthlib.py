"""requests-oauthlib, unmodified, goes all its ways at the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from requests_oauthlib import OAuth1Session, OAuth2Session

from tests.sandbox.application import Row
from tests.sandbox.browser import Browser
from tests.sandbox.support import Client

SCOPE = ["openid", "offline_access", "accounting.transactions"]


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library wants TLS unless it is told that this is a test."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def oauth1(client: Client, kind: str, callback: str) -> OAuth1Session:
    """A session of a consumer."""
    known = client.known
    consumers: dict[str, dict[str, Any]] = {
        "hmac": {"client_key": known["consumer_key"], "client_secret": known["consumer_secret"]},
        "public": {
            "client_key": known["public_consumer_key"],
            "client_secret": known["public_consumer_secret"],
        },
        "rsa": {
            "client_key": known["rsa_consumer_key"],
            "signature_method": "RSA-SHA1",
            "rsa_key": Path(known["rsa_private_key_file"]).read_text(),
        },
    }
    return OAuth1Session(callback_uri=callback, **consumers[kind])


@pytest.mark.parametrize("kind", ["hmac", "rsa", "public"])
@pytest.mark.parametrize("out_of_band", [True, False])
def test_three_legs(client: Client, browser: Browser, partner: Row, kind: str, out_of_band: bool) -> None:
    callback = "oob" if out_of_band else client.known["redirect_uris"][0]
    with oauth1(client, kind, callback) as session:
        session.fetch_request_token(f"{client.base_url}/oauth/RequestToken")
        browser.open(session.authorization_url(f"{client.base_url}/oauth/Authorize"))
        browser.log_in(partner["contact_email"])
        browser.press("allow", partner["tenant_id"])
        if out_of_band:
            verifier = browser.page.texts["verifier"]
        else:
            verifier = session.parse_authorization_response(browser.location)["oauth_verifier"]
        token = session.fetch_access_token(f"{client.base_url}/oauth/AccessToken", verifier=verifier)
        assert ("oauth_session_handle" in token) == (kind != "public")
        organisation = session.get(f"{client.base_url}/api.xro/2.0/Organisation").json()
        assert organisation["Organisations"][0]["OrganisationID"] == partner["tenant_id"]
        swap = session.post(
            f"{client.base_url}/oauth/migrate?tenantType={partner['tenant_type']}",
            json={
                "scope": "offline_access",
                "client_id": client.known["client_id"],
                "client_secret": client.known["client_secret"],
            },
        )
        assert swap.status_code == (401 if kind == "public" else 200)


@pytest.mark.parametrize("pkce", [None, "S256"])
def test_the_code_grant_of_a_confidential_client(
    client: Client, browser: Browser, partner: Row, pkce: str | None
) -> None:
    known = client.known
    session = OAuth2Session(
        known["client_id"], redirect_uri=known["redirect_uris"][0], scope=SCOPE, pkce=pkce
    )
    url, _ = session.authorization_url(f"{client.base_url}/identity/connect/authorize")
    browser.consent(url, partner["contact_email"])
    token_url = f"{client.base_url}/connect/token"
    token = session.fetch_token(
        token_url, authorization_response=browser.location, client_secret=known["client_secret"]
    )
    fresh = session.refresh_token(token_url, auth=(known["client_id"], known["client_secret"]))
    check(client, session, partner, token, fresh)


@pytest.mark.parametrize("names_itself", [True, False])
def test_the_code_grant_of_a_public_client(
    client: Client, browser: Browser, partner: Row, names_itself: bool
) -> None:
    known = client.known
    session = OAuth2Session(
        known["public_client_id"], redirect_uri=known["redirect_uris"][0], scope=SCOPE, pkce="S256"
    )
    url, _ = session.authorization_url(f"{client.base_url}/identity/connect/authorize")
    browser.consent(url, partner["contact_email"])
    token_url = f"{client.base_url}/connect/token"
    # Where it does not name itself in the form, the library sends a header with an empty secret.
    token = session.fetch_token(
        token_url, authorization_response=browser.location, include_client_id=names_itself or None
    )
    fresh = session.refresh_token(token_url, client_id=known["public_client_id"])
    check(client, session, partner, token, fresh)


def check(
    client: Client, session: OAuth2Session, partner: Row, token: dict[str, Any], fresh: dict[str, Any]
) -> None:
    """Whether a pair and the one that it was refreshed to are whole, and the session works."""
    for pair in (token, fresh):
        assert {"access_token", "refresh_token", "id_token", "expires_at"} <= pair.keys()
        assert pair["expires_in"] == 1800
        assert pair["scope"] == SCOPE
    assert token["refresh_token"] != fresh["refresh_token"]
    (connection,) = session.get(f"{client.base_url}/connections").json()
    assert connection["tenantId"] == partner["tenant_id"]
    session.close()
