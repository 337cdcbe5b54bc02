"""What a client and its user do to win a pair by consent."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from urllib.parse import urlencode

import requests

from tests.sandbox.application import Row
from tests.sandbox.browser import Browser
from tests.sandbox.support import Client

SCOPE = "offline_access accounting.transactions openid"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


def asked(client: Client, changes: Mapping[str, str | None] | None = None, *, public: bool = False) -> str:
    """The URL of an authorisation request; ``changes`` override its fields, None leaves one out."""
    fields: dict[str, str | None] = {
        "response_type": "code",
        "client_id": client.known["public_client_id" if public else "client_id"],
        "redirect_uri": client.known["redirect_uris"][0],
        "scope": SCOPE,
        "state": "s &=é",
        **(PKCE if public else {}),
        **(changes or {}),
    }
    query = urlencode({name: value for name, value in fields.items() if value is not None})
    return f"{client.base_url}/identity/connect/authorize?{query}"


def exchange(
    client: Client,
    code: str,
    changes: Mapping[str, str | None] | None = None,
    auth: tuple[str, str] | None = None,
    *,
    public: bool = False,
) -> requests.Response:
    """Turn a code into a pair."""
    fields: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.known["redirect_uris"][0],
        **({"client_id": client.known["public_client_id"], "code_verifier": VERIFIER} if public else {}),
        **(changes or {}),
    }
    if auth is None and not public:
        auth = (client.known["client_id"], client.known["client_secret"])
    data = {name: value for name, value in fields.items() if value is not None}
    return client.session.post(f"{client.base_url}/connect/token", data=data, auth=auth)


def code_of(client: Client, browser: Browser, row: Row, **changes: str | None) -> str:
    """The code of a consent about the organisation of a row."""
    return browser.consent(asked(client, changes), row["contact_email"], row["tenant_id"])["code"]
