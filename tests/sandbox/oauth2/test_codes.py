"""The code grant: what a consent wins, and which codes win nothing."""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from typing import Any

import jwt
import pytest

from tests.sandbox.application import Row
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import Start
from tests.sandbox.consent import CHALLENGE, PKCE, SCOPE, VERIFIER, asked, code_of, exchange
from tests.sandbox.support import Client, digest, in_threads

# The whole way


def test_a_consent_wins_a_pair_that_reaches_what_was_ticked(
    client: Client, browser: Browser, three: list[Row]
) -> None:
    browser.open(asked(client))
    browser.log_in(three[0]["contact_email"])
    ids = [row["tenant_id"] for row in three]
    assert browser.organisations == ids
    browser.press("allow", *ids[:2])
    assert browser.answer.status_code == 302
    assert browser.location.startswith(f"{client.known['redirect_uris'][0]}?")
    assert browser.fields.keys() == {"code", "state"}
    assert browser.fields["state"] == "s &=é"
    answer = exchange(client, browser.fields["code"])
    pair = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert pair.keys() == {"access_token", "refresh_token", "id_token", "expires_in", "token_type", "scope"}
    assert type(pair["expires_in"]) is int
    assert (pair["expires_in"], pair["token_type"], pair["scope"]) == (1800, "Bearer", SCOPE)
    assert client.tenants(pair["access_token"]) == ids[:2]
    assert client.organisation(pair["access_token"], ids[0]).status_code == 200
    assert client.organisation(pair["access_token"], ids[2]).status_code == 403


@pytest.mark.parametrize(
    ("scope", "further"),
    [
        ("accounting.transactions", set()),
        ("x offline_access", {"refresh_token"}),
        ("openid x", {"id_token"}),
        ("openid offline_access openid", {"id_token", "refresh_token"}),
    ],
)
def test_only_what_was_asked_for_is_answered(
    client: Client, browser: Browser, partner: Row, scope: str, further: set[str]
) -> None:
    pair = exchange(client, code_of(client, browser, partner, scope=scope)).json()
    assert pair.keys() == {"access_token", "expires_in", "token_type", "scope"} | further
    assert pair["scope"] == scope
    entry = client.stats()["tokens"][0]
    assert entry["access_tokens_sha256"] == [digest(pair["access_token"])]
    assert len(entry["refresh_tokens_sha256"]) == ("refresh_token" in further)
    assert (entry["pairs_working"], client.stats()["pairs_working"]) == (1, 1)


def test_the_tokens_say_who_consented_when(client: Client, browser: Browser, partner: Row) -> None:
    browser.open(asked(client))
    browser.log_in(partner["contact_email"])
    client.advance(600)
    pair = exchange(client, code_of(client, browser, partner, nonce="n-1")).json()
    claims = jwt.decode(pair["access_token"], options={"verify_signature": False})
    (connection,) = client.connections(pair["access_token"]).json()
    assert claims["authentication_event_id"] == connection["authEventId"]
    assert uuid.UUID(connection["authEventId"])
    assert 600 <= claims["nbf"] - claims["auth_time"] < 660
    assert claims["scope"] == SCOPE.split()
    configuration = client.session.get(f"{client.base_url}/.well-known/openid-configuration").json()
    key = jwt.PyJWKClient(configuration["jwks_uri"]).get_signing_key_from_jwt(pair["id_token"])
    identity = jwt.decode(
        pair["id_token"],
        key,
        algorithms=["RS256"],
        audience=client.known["client_id"],
        issuer=configuration["issuer"],
        options={"verify_nbf": False, "verify_iat": False},  # the sandbox's clock is ahead
    )
    assert (identity["nonce"], identity["email"]) == ("n-1", partner["contact_email"])
    assert (identity["sub"], identity["auth_time"]) == (claims["sub"], claims["auth_time"])
    who = client.session.get(
        configuration["userinfo_endpoint"], headers={"Authorization": f"Bearer {pair['access_token']}"}
    )
    assert who.json() == {name: identity[name] for name in ("sub", "email", "xero_userid")}


def test_a_refresh_keeps_the_event_and_asks_nobody(client: Client, browser: Browser, partner: Row) -> None:
    pair = exchange(client, code_of(client, browser, partner, nonce="n")).json()
    fresh = client.refresh(pair["refresh_token"]).json()
    assert fresh.keys() == pair.keys()
    before, after = (
        jwt.decode(won["access_token"], options={"verify_signature": False}) for won in (pair, fresh)
    )
    for name in ("authentication_event_id", "auth_time", "xero_userid", "scope"):
        assert before[name] == after[name]
    assert "nonce" not in jwt.decode(fresh["id_token"], options={"verify_signature": False})


def test_the_public_client_proves_that_it_began(client: Client, browser: Browser, partner: Row) -> None:
    url = asked(client, public=True)
    code = browser.consent(url, partner["contact_email"], partner["tenant_id"])["code"]
    for wrong in (None, "w" * 43, CHALLENGE, VERIFIER[:-1], f"{VERIFIER}é"):
        refused = exchange(client, code, {"code_verifier": wrong}, public=True)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    pair = exchange(client, code, public=True).json()
    public = {"client_id": client.known["public_client_id"]}
    form = {**public, "grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    assert client.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"  # another client's
    fresh = client.session.post(f"{client.base_url}/connect/token", data=form).json()
    assert client.tenants(fresh["access_token"]) == [partner["tenant_id"]]
    revocation = {**public, "token": fresh["refresh_token"]}
    assert client.session.post(f"{client.base_url}/connect/revocation", data=revocation).status_code == 200
    assert client.connections(fresh["access_token"]).status_code == 401


@pytest.mark.parametrize("where", ["header", "body"])
def test_the_public_client_has_no_secret(client: Client, browser: Browser, partner: Row, where: str) -> None:
    url = asked(client, public=True)
    code = browser.consent(url, partner["contact_email"], partner["tenant_id"])["code"]
    name = client.known["public_client_id"]
    answers = [
        exchange(client, code, {"client_secret": secret}, public=True)
        if where == "body"
        else exchange(client, code, {"client_id": None}, (name, secret), public=True)
        for secret in ("guess", "")
    ]
    assert [answer.status_code for answer in answers] == [400 if where == "body" else 401, 200]


def test_the_confidential_client_may_use_pkce_too(client: Client, browser: Browser, partner: Row) -> None:
    code = code_of(client, browser, partner, **PKCE)
    assert exchange(client, code).json()["error"] == "invalid_grant"
    assert exchange(client, code, {"code_verifier": VERIFIER}).status_code == 200
    without = code_of(client, browser, partner)
    assert exchange(client, without, {"code_verifier": VERIFIER}).json()["error"] == "invalid_grant"
    body = {name: client.known[name] for name in ("client_id", "client_secret")}
    answer = client.session.post(
        f"{client.base_url}/connect/token",
        data={
            "grant_type": "authorization_code",
            "code": without,
            "redirect_uri": client.known["redirect_uris"][0],
            **body,
        },
    )
    assert answer.status_code == 200


# The code


def test_a_code_that_comes_again_ends_what_it_won(client: Client, browser: Browser, partner: Row) -> None:
    code = code_of(client, browser, partner)
    pair = exchange(client, code).json()
    fresh = client.refresh(pair["refresh_token"]).json()
    for _ in range(2):
        again = exchange(client, code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert client.connections(fresh["access_token"]).status_code == 401
    assert client.refresh(fresh["refresh_token"]).json()["error"] == "invalid_grant"
    facts = client.stats()
    assert (facts["consents"], facts["pairs_revoked"], facts["tokens"][0]["pairs_working"]) == (1, 1, 0)


def test_somebody_elses_code_is_refused_and_ends_nothing(
    client: Client, browser: Browser, partner: Row
) -> None:
    code = code_of(client, browser, partner)
    assert exchange(client, code, public=True).json()["error"] == "invalid_grant"
    pair = exchange(client, code).json()
    assert exchange(client, code, public=True).json()["error"] == "invalid_grant"
    assert client.connections(pair["access_token"]).status_code == 200


def test_of_two_exchanges_at_the_same_time_one_wins_a_pair_that_dies(
    client: Client, browser: Browser, partner: Row
) -> None:
    code = code_of(client, browser, partner)
    statuses: list[int] = []
    in_threads(*[lambda: statuses.append(exchange(client, code).status_code)] * 4)
    assert sorted(statuses) == [200, 400, 400, 400]
    assert client.stats()["pairs_working"] == 0


def test_a_code_lives_five_minutes(client: Client, browser: Browser, partner: Row) -> None:
    early, late = (code_of(client, browser, partner) for _ in range(2))
    client.advance(290)
    assert exchange(client, early).status_code == 200
    client.advance(11)
    assert exchange(client, late).json()["error"] == "invalid_grant"


def test_a_code_is_for_its_redirect_uri(start: Start, partner: Row) -> None:
    client = start(redirect_uris=["https://app.example/cb"])
    with Browser(client.base_url) as browser:
        code = code_of(client, browser, partner, redirect_uri="https://app.example/cb")
    assert exchange(client, code).json()["error"] == "invalid_grant"
    missing = exchange(client, code, {"redirect_uri": None})
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
    assert exchange(client, code, {"redirect_uri": "https://app.example/cb"}).status_code == 200


def test_refused_exchanges_leave_the_code_as_it_was(client: Client, browser: Browser, partner: Row) -> None:
    code = code_of(client, browser, partner)
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"auth": (client.known["client_id"], "wrong")}, 401, "invalid_client"),
        ({"auth": ("nobody", "x")}, 401, "invalid_client"),
        ({"changes": {"code": None}}, 400, "invalid_request"),
        ({"changes": {"code": f"{code}x"}}, 400, "invalid_grant"),
        ({"changes": {"grant_type": None}}, 400, "invalid_request"),
        ({"changes": {"client_id": client.known["public_client_id"]}}, 401, "invalid_client"),
    ]
    for arguments, status, error in wrong:
        answer = exchange(client, code, **arguments)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert exchange(client, code).status_code == 200


def test_a_code_survives_a_restart(start: Start, partner: Row) -> None:
    client = start()
    with Browser(client.base_url) as browser:
        code = code_of(client, browser, partner)
    assert exchange(start(), code).status_code == 200


def test_a_verifier_that_could_be_guessed_is_refused(client: Client, browser: Browser, partner: Row) -> None:
    for verifier, status in (("v" * 42, 400), ("v" * 43, 200), ("v" * 128, 200), ("v" * 129, 400)):
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        code = code_of(client, browser, partner, **{**PKCE, "code_challenge": challenge})
        assert exchange(client, code, {"code_verifier": verifier}).status_code == status


def test_the_verifier_is_compared_as_the_rfc_writes(client: Client, browser: Browser, partner: Row) -> None:
    # RFC 7636, appendix B.
    verifier, challenge = (
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    )
    code = code_of(client, browser, partner, **{**PKCE, "code_challenge": challenge})
    assert exchange(client, code, {"code_verifier": secrets.token_urlsafe(32)}).status_code == 400
    assert exchange(client, code, {"code_verifier": verifier}).status_code == 200
