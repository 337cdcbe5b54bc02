"""Authlib, unmodified, goes all its ways at the sandbox."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest
from authlib.integrations.requests_client import OAuth1Session, OAuth2Session
from joserfc import jwk, jwt

from tests.sandbox.application import Row
from tests.sandbox.browser import Browser
from tests.sandbox.support import Client


@pytest.mark.parametrize("kind", ["hmac", "rsa"])
@pytest.mark.parametrize("out_of_band", [True, False])
def test_three_legs(client: Client, browser: Browser, partner: Row, kind: str, out_of_band: bool) -> None:
    known = client.known
    consumer: dict[str, Any] = (
        {"client_id": known["consumer_key"], "client_secret": known["consumer_secret"]}
        if kind == "hmac"
        else {
            "client_id": known["rsa_consumer_key"],
            "signature_method": "RSA-SHA1",
            "rsa_key": Path(known["rsa_private_key_file"]).read_text(),
        }
    )
    callback = "oob" if out_of_band else known["redirect_uris"][0]
    with OAuth1Session(redirect_uri=callback, **consumer) as session:
        session.fetch_request_token(f"{client.base_url}/oauth/RequestToken")
        browser.open(session.create_authorization_url(f"{client.base_url}/oauth/Authorize"))
        browser.log_in(partner["contact_email"])
        browser.press("allow", partner["tenant_id"])
        if out_of_band:
            verifier = browser.page.texts["verifier"]
        else:
            verifier = session.parse_authorization_response(browser.location)["oauth_verifier"]
        token = session.fetch_access_token(f"{client.base_url}/oauth/AccessToken", verifier)
        assert token["xero_org_muid"] == partner["tenant_id"]
        assert session.get(f"{client.base_url}/api.xro/2.0/Organisation").status_code == 200


@pytest.mark.parametrize(
    ("method", "pkce"),
    [
        ("client_secret_basic", False),
        ("client_secret_basic", True),
        ("client_secret_post", False),
        ("client_secret_post", True),
        ("none", True),
    ],
)
def test_the_code_grant(client: Client, browser: Browser, partner: Row, method: str, pkce: bool) -> None:
    known, public = client.known, method == "none"
    endpoints = client.session.get(f"{client.base_url}/.well-known/openid-configuration").json()
    proof = {"code_verifier": secrets.token_urlsafe(48)} if pkce else {}
    with OAuth2Session(
        known["public_client_id"] if public else known["client_id"],
        None if public else known["client_secret"],
        redirect_uri=known["redirect_uris"][0],
        scope="openid offline_access accounting.transactions",
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
    ) as session:
        url, _ = session.create_authorization_url(endpoints["authorization_endpoint"], nonce="n", **proof)
        browser.consent(url, partner["contact_email"])
        token = session.fetch_token(
            endpoints["token_endpoint"], authorization_response=browser.location, **proof
        )
        keys = jwk.KeySet.import_key_set(client.session.get(endpoints["jwks_uri"]).json())
        identity = jwt.decode(token["id_token"], keys).claims
        assert (identity["nonce"], identity["email"]) == ("n", partner["contact_email"])
        fresh = session.refresh_token(endpoints["token_endpoint"])
        assert fresh["refresh_token"] != token["refresh_token"]
        (connection,) = session.get(f"{client.base_url}/connections").json()
        assert connection["tenantId"] == partner["tenant_id"]
        revocation = session.revoke_token(endpoints["revocation_endpoint"], token=fresh["refresh_token"])
        assert revocation.status_code == 200
        assert session.get(f"{client.base_url}/connections").status_code == 401
