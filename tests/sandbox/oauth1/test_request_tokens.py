"""The first of OAuth 1.0a's three legs: what gets a request token, and what does not."""

from __future__ import annotations

import pytest
import requests
from oauthlib.oauth1 import SIGNATURE_TYPE_BODY, SIGNATURE_TYPE_QUERY

from tests.sandbox.conftest import Start
from tests.sandbox.oauth1.legs import KINDS, answered, ask, callback_of
from tests.sandbox.signing import Method
from tests.sandbox.support import Client, problem


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_request_token_is_answered(client: Client, kind: str, method: Method) -> None:
    fields = answered(ask(client, callback_of(client), kind, method))
    assert fields.keys() == {"oauth_token", "oauth_token_secret", "oauth_callback_confirmed"}
    assert fields["oauth_callback_confirmed"] == "true"


@pytest.mark.parametrize("signature_type", [SIGNATURE_TYPE_QUERY, SIGNATURE_TYPE_BODY])
def test_its_parameters_may_stand_in_query_or_form(client: Client, signature_type: str) -> None:
    assert ask(client, signature_type=signature_type, form={}).status_code == 200


@pytest.mark.parametrize(
    "callback",
    [
        "oob",
        None,
        "https://127.0.0.1/",
        "http://127.0.0.1:9/other?x=1",
        "https://app.example/a",
        "https://www.app.example:8443/b",
        "HTTPS://App.Example/",
        "https://app.example/" + "x" * 230,
    ],
)
def test_callbacks_inside_the_registered_domain_are_taken(start: Start, callback: str | None) -> None:
    client = start(redirect_uris=["https://app.example/callback"])
    assert ask(client, callback).status_code == 200


@pytest.mark.parametrize(
    "callback",
    [
        "https://app.example.net/",
        "https://notapp.example/",
        "https://example/",
        "https://app.example@evil.net/",
        "https://x.127.0.0.1/",
        "ftp://app.example/",
        "javascript://app.example/%0aalert(1)",
        "//app.example/",
        "/callback",
        "OOB",
        "https://app.example/" + "x" * 231,
        "https://[app.example/",
        "https://app.example/a b",
        "https://app.example/é",
        "https://app.example/\r\nX: y",
    ],
)
def test_other_callbacks_are_rejected(start: Start, callback: str) -> None:
    client = start(redirect_uris=["https://app.example/callback"])
    answer = ask(client, callback)
    assert (answer.status_code, problem(answer)) == (400, "parameter_rejected")
    assert "oauth_callback" in answer.text


def test_a_request_token_is_not_given_for_a_wrong_signature(client: Client) -> None:
    for kind in ("hmac", "public"):
        answer = ask(client, kind=kind, client_secret="wrong")
        assert (answer.status_code, problem(answer)) == (401, "signature_invalid")
    crossed = ask(client, kind="public", client_secret=client.known["consumer_secret"])
    assert problem(crossed) == "signature_invalid"
    assert problem(ask(client, client_key="nobody")) == "consumer_key_unknown"


def test_a_nonce_serves_once_for_request_tokens_too(client: Client) -> None:
    assert ask(client, nonce="n", timestamp=None).status_code == 200
    first = ask(client, nonce="m")
    sent = first.request
    again = client.session.send(client.session.prepare_request(_same(sent)))
    assert (first.status_code, again.status_code, problem(again)) == (200, 401, "nonce_used")


def _same(sent: requests.PreparedRequest) -> requests.Request:
    return requests.Request(sent.method, sent.url, headers=dict(sent.headers), data=sent.body)
