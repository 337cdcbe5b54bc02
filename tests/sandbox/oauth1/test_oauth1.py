"""Authentication of OAuth 1.0a calls over real HTTP: each problem word, and what each leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from oauthlib.oauth1 import SIGNATURE_PLAINTEXT, SIGNATURE_RSA_SHA1, SIGNATURE_TYPE_BODY, SIGNATURE_TYPE_QUERY

from migrator.sandbox import issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.conftest import Start
from tests.sandbox.signing import Parameters
from tests.sandbox.support import Client, at, problem, renewed

# Signed rightly, this is refused for its tenant type and changes nothing.
PROBE = "/oauth/migrate?tenantType=NONE"


def test_a_right_signature_gets_past_the_check(client: Client, partner: Row) -> None:
    answer = client.send(partner, "POST", PROBE)
    assert answer.status_code == 400
    assert "tenantType" in answer.json()["errors"][0]


@pytest.mark.parametrize(
    "values",
    [
        [("p", "a b+c%2F~é\u2603"), ("p", ""), ("p", "a b")],
        [("", "x"), ("ñ&=", "&=#?/"), ("'\"<>[]{}", "\U0001f600\x00")],
        [("tenantType", "NONE"), ("a", "%"), ("a", "%25"), ("a", "~")],
    ],
)
def test_hostile_queries_are_verified_right(
    client: Client, partner: Row, values: list[tuple[str, str]]
) -> None:
    answer = client.send(partner, "POST", f"{PROBE}&{urlencode(values)}")
    assert answer.headers["Content-Type"].startswith("application/json"), answer.text
    assert "tenantType" in answer.json()["errors"][0]


def test_a_query_that_was_changed_on_the_way_is_found_out(client: Client, partner: Row) -> None:
    uri, headers, _ = client.signer(partner).sign(f"{client.base_url}{PROBE}", "POST")
    answer = client.session.post(f"{uri}&further=1", headers=headers)
    assert (answer.status_code, problem(answer)) == (401, "signature_invalid")


@pytest.mark.parametrize("signature_type", [SIGNATURE_TYPE_QUERY, SIGNATURE_TYPE_BODY])
def test_parameters_may_stand_in_query_or_form(client: Client, partner: Row, signature_type: str) -> None:
    answer = client.send(partner, "POST", PROBE, form={"x": "1 +é"}, signature_type=signature_type)
    assert "tenantType" in answer.json()["errors"][0]


def test_a_problem_is_form_encoded_under_another_content_type(client: Client, partner: Row) -> None:
    answer = client.send({**partner, "oauth_token": "unknown"}, "POST", PROBE)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert (
        answer.text
        == "oauth_problem=token_rejected&oauth_problem_advice=The%20access%20token%20is%20not%20known"
    )
    assert answer.headers["WWW-Authenticate"].startswith("OAuth")


def test_token_rejected_for_an_unknown_token(client: Client, partner: Row) -> None:
    assert problem(client.send({**partner, "oauth_token": "unknown"}, "POST", PROBE)) == "token_rejected"


@pytest.mark.parametrize("wrong", [{"oauth_token_secret": "wrong"}, {"oauth_token_secret": ""}])
def test_signature_invalid_for_a_wrong_token_secret(client: Client, partner: Row, wrong: Row) -> None:
    answer = client.send({**partner, **wrong}, "POST", PROBE)
    assert (answer.status_code, problem(answer)) == (401, "signature_invalid")


def test_signature_invalid_for_a_wrong_consumer_secret(client: Client, partner: Row) -> None:
    assert problem(client.send(partner, "POST", PROBE, client_secret="wrong")) == "signature_invalid"


def test_consumer_key_unknown(client: Client, partner: Row) -> None:
    answer = client.send(partner, "POST", PROBE, client_key="nobody")
    assert (answer.status_code, problem(answer)) == (401, "consumer_key_unknown")


@pytest.mark.parametrize("seconds", [-310, 310])
def test_timestamp_refused_beyond_five_minutes(client: Client, partner: Row, seconds: int) -> None:
    answer = client.send(partner, "POST", PROBE, timestamp=at(seconds))
    assert (answer.status_code, problem(answer)) == (401, "timestamp_refused")


@pytest.mark.parametrize("seconds", [-280, 280])
def test_a_timestamp_within_five_minutes_is_taken(client: Client, partner: Row, seconds: int) -> None:
    assert client.send(partner, "POST", PROBE, timestamp=at(seconds)).status_code == 400


@pytest.mark.parametrize("timestamp", ["now", "-1", "1e9", "٣", "9" * 5000, "1795396519.5"])
def test_timestamp_refused_if_it_is_no_number(client: Client, partner: Row, timestamp: str) -> None:
    assert problem(client.send(partner, "POST", PROBE, timestamp=timestamp)) == "timestamp_refused"


def test_nonce_used(client: Client, partner: Row) -> None:
    once: dict[str, Any] = {"nonce": "once", "timestamp": at(0)}
    assert client.send(partner, "POST", PROBE, **once).status_code == 400
    answer = client.send(partner, "POST", PROBE, **once)
    assert (answer.status_code, problem(answer)) == (401, "nonce_used")
    assert client.stats()["nonce_reuse"] == 1


def test_a_nonce_may_serve_again_with_another_timestamp_or_token(client: Client, state: Path) -> None:
    one, other = issue_tokens(state, 2, "partner=1", expired=0)
    timestamp = at(0)
    assert client.send(one, "POST", PROBE, nonce="n", timestamp=timestamp).status_code == 400
    assert client.send(one, "POST", PROBE, nonce="n", timestamp=at(-2)).status_code == 400
    assert client.send(other, "POST", PROBE, nonce="n", timestamp=timestamp).status_code == 400
    assert client.stats()["nonce_reuse"] == 0


def test_a_wrong_signature_does_not_use_up_the_nonce(client: Client, partner: Row) -> None:
    once: dict[str, Any] = {"nonce": "once", "timestamp": at(0)}
    assert problem(client.send(partner, "POST", PROBE, client_secret="wrong", **once)) == "signature_invalid"
    assert client.send(partner, "POST", PROBE, **once).status_code == 400


def test_a_refused_call_uses_up_its_nonce(client: Client, expired: Row) -> None:
    once: dict[str, Any] = {"nonce": "once", "timestamp": at(0)}
    assert client.swap(expired, **once).json() == {"errors": ["The access token has expired"]}
    assert problem(client.swap(expired, **once)) == "nonce_used"


def test_nonces_are_known_after_a_restart(start: Start, partner: Row) -> None:
    once: dict[str, Any] = {"nonce": "once", "timestamp": at(0)}
    assert start().send(partner, "POST", PROBE, **once).status_code == 400
    assert problem(start().send(partner, "POST", PROBE, **once)) == "nonce_used"


@pytest.mark.parametrize("method", [SIGNATURE_PLAINTEXT, "HMAC-SHA256", "HMAC-SHA512"])
def test_signature_method_rejected(client: Client, partner: Row, method: str) -> None:
    answer = client.send(partner, "POST", PROBE, signature_method=method)
    assert (answer.status_code, problem(answer)) == (400, "signature_method_rejected")


def test_rsa_sha1_for_the_consumer_registered_for_it(client: Client, partner: Row) -> None:
    key = Path(client.known["rsa_private_key_file"]).read_text()
    rsa: dict[str, Any] = {"signature_method": SIGNATURE_RSA_SHA1, "rsa_key": key}
    rsa_consumer = {**rsa, "client_key": client.known["rsa_consumer_key"]}
    assert client.swap(partner, **rsa_consumer).status_code == 200
    assert problem(client.swap(partner, **rsa)) == "signature_method_rejected"
    other_method = client.swap(partner, client_key=client.known["rsa_consumer_key"])
    assert problem(other_method) == "signature_method_rejected"


def test_rsa_sha1_with_another_key_is_invalid(client: Client, partner: Row, tmp_path: Path) -> None:
    from migrator.sandbox import credentials

    other = Path(credentials(tmp_path / "other.db")["rsa_private_key_file"]).read_text()
    answer = client.swap(
        partner,
        signature_method=SIGNATURE_RSA_SHA1,
        rsa_key=other,
        client_key=client.known["rsa_consumer_key"],
    )
    assert problem(answer) == "signature_invalid"


@pytest.mark.parametrize(
    "absent",
    [
        "oauth_consumer_key",
        "oauth_token",
        "oauth_signature_method",
        "oauth_signature",
        "oauth_timestamp",
        "oauth_nonce",
    ],
)
def test_parameter_absent(client: Client, partner: Row, absent: str) -> None:
    uri, headers, _ = client.signer(partner).sign(f"{client.base_url}{PROBE}", "POST")
    given = headers["Authorization"].removeprefix("OAuth ").split(", ")
    headers["Authorization"] = "OAuth " + ", ".join(p for p in given if not p.startswith(f"{absent}="))
    answer = client.session.post(uri, headers=headers)
    assert (answer.status_code, problem(answer)) == (400, "parameter_absent")
    assert absent in answer.text


def test_parameter_rejected_if_one_comes_twice(client: Client, partner: Row) -> None:
    answer = client.send(partner, "POST", f"{PROBE}&oauth_nonce=again")
    assert (answer.status_code, problem(answer)) == (400, "parameter_rejected")


def test_version_rejected(client: Client, partner: Row) -> None:
    uri, headers, _ = client.signer(partner).sign(f"{client.base_url}{PROBE}", "POST")
    headers["Authorization"] = headers["Authorization"].replace('oauth_version="1.0"', 'oauth_version="2.0"')
    answer = client.session.post(uri, headers=headers)
    assert (answer.status_code, problem(answer)) == (400, "version_rejected")


def test_version_may_be_left_out(client: Client, partner: Row) -> None:
    def unversioned(given: Parameters) -> Parameters:
        return [(name, value) for name, value in given if name != "oauth_version"]

    answer = client.send(partner, "POST", PROBE, change=unversioned)
    assert "oauth_version" not in answer.request.headers["Authorization"]
    assert "tenantType" in answer.json()["errors"][0]


@pytest.mark.parametrize("app_type", ["public", "private"])
def test_permission_denied_for_tokens_of_other_applications(
    client: Client, state: Path, app_type: str
) -> None:
    row = next(issue_tokens(state, 1, f"{app_type}=1"))
    answer = client.swap(row)
    assert (answer.status_code, problem(answer)) == (401, "permission_denied")
    with_handle = {**row, "oauth_session_handle": "any"}
    assert problem(client.renew(with_handle)) == "permission_denied"
    assert client.stats()["swaps_issued"] == 0


def test_token_rejected_for_a_token_that_was_renewed_away(client: Client, partner: Row) -> None:
    fresh = renewed(partner, client.renew(partner))
    answer = client.swap(partner)
    assert (answer.status_code, problem(answer)) == (401, "token_rejected")
    assert client.swap(fresh).status_code == 200
