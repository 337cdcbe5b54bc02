"""The exchange of legacy tokens: what it answers, and what it refuses in which word."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.sandbox import adopt_tokens, issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.support import digest
from tests.sandbox.x.conftest import StartX
from tests.sandbox.x.support import XClient, error


def test_a_pair_for_a_legacy_token(client: XClient, row: Row) -> None:
    answer = client.exchange(row)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    pair = answer.json()
    assert pair.keys() == {"token_type", "expires_in", "access_token", "refresh_token", "scope"}
    assert (pair["token_type"], pair["expires_in"]) == ("bearer", 7200)
    user = client.me(pair["access_token"]).json()["data"]
    assert (user["id"], user["name"]) == (row["oauth_token"].partition("-")[0], row["organisation"])


def test_the_public_client_names_itself(client: XClient, row: Row) -> None:
    public = client.known["public_client_id"]
    pair = client.exchange(row, {"client_id": public}, auth=None).json()
    assert error(client.refresh(pair["refresh_token"])) == (400, "invalid_grant")
    refreshed = client.token(
        {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"], "client_id": public},
        auth=None,
    )
    assert refreshed.status_code == 200


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"subject_token": None}, "invalid_request"),
        ({"oauth_token_secret": None}, "invalid_request"),
        ({"oauth_token_secret": ""}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:access_token"}, "invalid_request"),
        ({"subject_token": "1-unknown"}, "invalid_grant"),
        ({"oauth_token_secret": "wrong"}, "invalid_grant"),
        ({"oauth_token_secret": "f\u00fc\ud800".encode("utf-8", "replace").decode()}, "invalid_grant"),
        ({"scope": "tweet.read bookmark.read"}, "invalid_scope"),
        ({"scope": "space.read"}, "invalid_scope"),
    ],
)
def test_what_is_refused_has_no_effect(
    client: XClient, row: Row, fields: dict[str, str | None], word: str
) -> None:
    pair = client.exchange(row).json()
    assert error(client.exchange(row, fields)) == (400, word)
    assert client.me(pair["access_token"]).status_code == 200
    assert client.stats()["swaps_issued"] == 1


@pytest.mark.parametrize(
    ("id_name", "secret_name", "word"),
    [
        ("client_id", "consumer_secret", "invalid_client"),
        ("consumer_key", "consumer_secret", "invalid_client"),
        ("public_client_id", "client_secret", "invalid_client"),
    ],
)
def test_wrong_credentials_are_the_applications_fault(
    client: XClient, row: Row, id_name: str, secret_name: str, word: str
) -> None:
    auth = (client.known[id_name], client.known[secret_name])
    assert error(client.exchange(row, auth=auth)) == (400, word)


def test_a_client_that_does_not_authenticate(client: XClient, row: Row) -> None:
    known = client.known
    assert error(client.exchange(row, auth=None)) == (400, "unauthorized_client")
    confidential = {"client_id": known["client_id"]}
    assert error(client.exchange(row, confidential, auth=None)) == (400, "unauthorized_client")
    in_body = {**confidential, "client_secret": known["client_secret"]}
    assert error(client.exchange(row, in_body, auth=None)) == (400, "unauthorized_client")
    assert error(client.exchange(row, in_body)) == (400, "invalid_client")
    assert error(client.exchange(row, {"client_id": "other"}, auth=None)) == (400, "invalid_client")


def test_the_form_must_be_one(client: XClient) -> None:
    answer = client.session.post(f"{client.base_url}/2/oauth2/token", json={})
    assert error(answer) == (400, "invalid_request")


def test_the_newest_pair_of_a_user_wins(client: XClient, row: Row) -> None:
    first = client.exchange(row).json()
    public = {"client_id": client.known["public_client_id"]}
    second = client.exchange(row, public, auth=None).json()
    assert [client.me(pair["access_token"]).status_code for pair in (first, second)] == [401, 200]
    assert error(client.refresh(first["refresh_token"])) == (400, "invalid_grant")
    facts = client.stats()
    (entry,) = facts["tokens"]
    assert (entry["swaps"], facts["swapped_twice"], facts["pairs_dead"]) == (2, 1, 1)
    assert entry["refresh_tokens_sha256"] == [digest(second["refresh_token"])]
    assert entry["access_tokens_sha256"] == [digest(second["access_token"])]


def test_two_legacy_tokens_of_a_user_are_one_connection(client: XClient, state: Path, row: Row) -> None:
    other = {**row, "oauth_token": f"{row['oauth_token']}b"}
    assert adopt_tokens(state, [other]) == 1
    first, second = client.exchange(row).json(), client.exchange(other).json()
    assert [client.me(pair["access_token"]).status_code for pair in (first, second)] == [401, 200]
    assert client.stats()["issued"] == {"token": 1}


def test_users_do_not_meet(client: XClient, state: Path) -> None:
    rows = list(issue_tokens(state, 3))
    pairs = [client.exchange(row).json() for row in rows]
    users = [client.me(pair["access_token"]).json()["data"] for pair in pairs]
    assert [user["name"] for user in users] == [row["organisation"] for row in rows]
    assert len({user["username"] for user in users}) == 3


def test_the_legacy_token_lives_on(client: XClient, row: Row) -> None:
    client.exchange(row)
    assert client.me_signed(row).json()["data"]["id"] == row["oauth_token"].partition("-")[0]
    assert client.me_signed({**row, "oauth_token_secret": "wrong"}).status_code == 401


@pytest.mark.parametrize(
    ("rule", "second", "first_lives", "legacy_lives"),
    [
        ("newest-wins", 200, False, True),
        ("keep", 200, True, True),
        ("never", 400, True, False),
        ("once", 400, True, True),
    ],
)
def test_another_rule_can_be_ordered(
    start: StartX, row: Row, rule: str, second: int, first_lives: bool, legacy_lives: bool
) -> None:
    client = start(f"repeat={rule}")
    first = client.exchange(row).json()
    again = client.exchange(row)
    assert again.status_code == second
    if second != 200:
        assert error(again) == (400, "invalid_grant")
    assert (client.me(first["access_token"]).status_code == 200) is first_lives
    assert (client.me_signed(row).status_code == 200) is legacy_lives


def test_another_applications_token_is_refused(client: XClient, state: Path, row: Row) -> None:
    other = {**row, "oauth_token": f"{row['oauth_token']}b", "consumer_key": "another"}
    adopt_tokens(state, [other])
    assert error(client.exchange(other)) == (400, "invalid_grant")
    assert client.me_signed(other).status_code == 401
    assert client.exchange(row).status_code == 200


def test_the_exchange_can_be_closed_alone(start: StartX, row: Row) -> None:
    pair = start().exchange(row).json()
    closed = start("exchange=closed")
    assert closed.exchange(row).status_code == 410
    assert closed.refresh(pair["refresh_token"]).status_code == 200
    assert closed.stats()["swaps_issued"] == 1
