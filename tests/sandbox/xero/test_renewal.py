"""``/oauth/AccessToken``: renewal with a session handle, wherever that stands."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlencode

import pytest
from oauthlib.oauth1 import SIGNATURE_TYPE_QUERY

from migrator.sandbox import issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.conftest import Start
from tests.sandbox.signing import Method
from tests.sandbox.support import Client, at, in_threads, problem, renewed

PATH = "/oauth/AccessToken"


def test_answers_a_whole_new_token(client: Client, expired: Row) -> None:
    answer = client.renew(expired)
    fields = {name: values[0] for name, values in parse_qs(answer.text, strict_parsing=True).items()}
    assert answer.status_code == 200
    assert fields.keys() == {
        "oauth_token",
        "oauth_token_secret",
        "oauth_expires_in",
        "oauth_session_handle",
        "oauth_authorization_expires_in",
        "xero_org_muid",
    }
    assert fields["oauth_expires_in"] == "1800"
    assert int(fields["oauth_authorization_expires_in"]) > 1800
    for name in ("oauth_token", "oauth_token_secret", "oauth_session_handle"):
        assert fields[name] != expired[name]


def test_an_expired_token_is_renewed_and_then_swapped(client: Client, expired: Row) -> None:
    assert client.swap(expired).status_code == 401
    assert client.swap(renewed(expired, client.renew(expired))).status_code == 200
    (entry,) = client.stats()["tokens"]
    assert (entry["renewals"], entry["swaps"], entry["pairs_working"]) == (1, 1, 1)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_handle_in_the_query_and_the_rest_in_the_header(client: Client, expired: Row, method: Method) -> None:
    query = urlencode({"oauth_session_handle": expired["oauth_session_handle"]})
    assert client.send(expired, method, f"{PATH}?{query}").status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_everything_in_the_query(client: Client, expired: Row, method: Method) -> None:
    query = urlencode({"oauth_session_handle": expired["oauth_session_handle"]})
    answer = client.send(expired, method, f"{PATH}?{query}", signature_type=SIGNATURE_TYPE_QUERY)
    assert answer.status_code == 200


def test_handle_in_the_form_body(client: Client, expired: Row) -> None:
    form = {"oauth_session_handle": expired["oauth_session_handle"]}
    assert client.send(expired, "POST", PATH, form=form).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_handle_in_the_header(client: Client, expired: Row, method: Method) -> None:
    handle = [("oauth_session_handle", expired["oauth_session_handle"])]
    answer = client.send(expired, method, PATH, change=lambda given: given + handle)
    assert "oauth_session_handle" in answer.request.headers["Authorization"]
    assert answer.status_code == 200


def test_parameter_absent_without_a_handle(client: Client, expired: Row) -> None:
    answer = client.send(expired, "POST", PATH)
    assert (answer.status_code, problem(answer)) == (400, "parameter_absent")
    assert "oauth_session_handle" in answer.text


def test_token_rejected_with_the_handle_of_another(client: Client, state: Path) -> None:
    one, other = issue_tokens(state, 2, "partner=1")
    mixed_up = {**one, "oauth_session_handle": other["oauth_session_handle"]}
    assert problem(client.renew(mixed_up)) == "token_rejected"
    assert client.renew(one).status_code == 200


def test_a_token_renews_once(client: Client, expired: Row) -> None:
    fresh = renewed(expired, client.renew(expired))
    assert problem(client.renew(expired)) == "token_rejected"
    assert client.renew(fresh).status_code == 200
    assert client.stats()["renewals"] == 2


def test_of_two_renewals_at_the_same_time_one_succeeds(client: Client, expired: Row) -> None:
    statuses: list[int] = []
    in_threads(*[lambda: statuses.append(client.renew(expired).status_code)] * 8)
    assert sorted(statuses) == [200] + [401] * 7
    assert client.stats()["renewals"] == 1


def test_a_renewed_token_lives_thirty_minutes(start: Start, expired: Row) -> None:
    fresh = renewed(expired, start().renew(expired))
    later = start("clock-skew=29min")
    assert later.swap(fresh, timestamp=at(29 * 60)).status_code == 200
    much_later = start("clock-skew=31min")
    assert much_later.swap(fresh, timestamp=at(31 * 60)).json() == {
        "errors": ["The access token has expired"]
    }


def test_token_rejected_when_the_users_grant_has_ended(start: Start, expired: Row) -> None:
    days = 10 * 365 + 1
    client = start(f"clock-skew={days}day")
    assert problem(client.renew(expired, timestamp=at(days * 86400))) == "token_rejected"
