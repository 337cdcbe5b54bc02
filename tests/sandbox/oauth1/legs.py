"""A client's way over OAuth 1.0a's three legs."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import requests
from oauthlib.oauth1 import SIGNATURE_RSA_SHA1

from tests.sandbox.application import Row
from tests.sandbox.browser import Browser
from tests.sandbox.signing import Method
from tests.sandbox.support import Client

NOBODY = {"oauth_token": "", "oauth_token_secret": ""}
KINDS = ("hmac", "rsa", "public")


def signs_as(client: Client, kind: str) -> dict[str, Any]:
    """How a consumer signs."""
    known = client.known
    match kind:
        case "rsa":
            key = Path(known["rsa_private_key_file"]).read_text()
            rsa = {"signature_method": SIGNATURE_RSA_SHA1, "rsa_key": key}
            return {"client_key": known["rsa_consumer_key"], **rsa}
        case "public":
            secret = known["public_consumer_secret"]
            return {"client_key": known["public_consumer_key"], "client_secret": secret}
        case _:
            return {}


def ask(
    client: Client,
    callback: str | None = "oob",
    kind: str = "hmac",
    method: Method = "POST",
    **changes: Any,
) -> requests.Response:
    """Ask for a request token."""
    further = {**signs_as(client, kind), **changes}
    return client.send(NOBODY, method, "/oauth/RequestToken", callback_uri=callback, **further)


def answered(answer: requests.Response) -> dict[str, str]:
    """The fields of a form-encoded answer."""
    assert answer.status_code == 200, answer.text
    return dict(parse_qsl(answer.text, strict_parsing=True))


def page(client: Client, token: Row) -> str:
    """Where the user decides."""
    return f"{client.base_url}/oauth/Authorize?{urlencode({'oauth_token': token['oauth_token']})}"


def verify(
    client: Client, token: Row, verifier: str, kind: str = "hmac", **changes: Any
) -> requests.Response:
    """Turn a request token into an access token."""
    further = {**signs_as(client, kind), **changes}
    return client.send(token, "POST", "/oauth/AccessToken", verifier=verifier, **further)


def callback_of(client: Client) -> str:
    """A registered redirect URI."""
    uri: str = client.known["redirect_uris"][0]
    return uri


def won(client: Client, browser: Browser, row: Row, kind: str = "hmac") -> dict[str, str]:
    """The access token of all three legs, for the organisation of a row."""
    token = answered(ask(client, callback_of(client), kind))
    back = browser.consent(page(client, token), row["contact_email"], row["tenant_id"])
    return answered(verify(client, token, back["oauth_verifier"], kind))
