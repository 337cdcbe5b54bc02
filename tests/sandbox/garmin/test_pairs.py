"""What becomes of Garmin's pairs: verified, refreshed, ended with the user's registration."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.sandbox import issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.garmin.conftest import StartGarmin
from tests.sandbox.garmin.support import (
    EXCHANGE,
    REGISTRATION,
    TOKEN,
    USER_ID,
    GarminClient,
    error,
    failure,
)


def test_a_refresh_token_serves_once(client: GarminClient, row: Row) -> None:
    first = client.exchange(row).json()
    second = client.renewed(first["refresh_token"]).json()
    assert second.keys() == first.keys()
    assert second["refresh_token"] != first["refresh_token"]
    assert client.user(second["access_token"]).status_code == 200
    assert error(client.renewed(first["refresh_token"])) == (400, "invalid_grant")
    assert client.stats()["refreshes_issued"] == 1


def test_the_client_is_the_consumer_with_a_secret_of_its_own(client: GarminClient, row: Row) -> None:
    known = client.known
    assert known["client_id"] == known["consumer_key"]
    assert known["client_secret"] != known["consumer_secret"]
    assert "public_client_id" not in known
    pair = client.exchange(row).json()
    for fields in (
        {"client_secret": known["consumer_secret"]},
        {"client_secret": None},
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": None, "client_secret": None},
    ):
        assert error(client.renewed(pair["refresh_token"], fields)) == (401, "invalid_client")
    nameless = {"client_id": None, "client_secret": None}
    basic = (known["client_id"], known["client_secret"])
    assert error(client.renewed(pair["refresh_token"], nameless, auth=basic)) == (401, "invalid_client")
    assert client.renewed(pair["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"refresh_token": None}, "invalid_request"),
        ({"refresh_token": "unknown"}, "invalid_grant"),
    ],
)
def test_what_the_token_endpoint_refuses(
    client: GarminClient, fields: dict[str, str | None], word: str
) -> None:
    assert error(client.renewed("any", fields)) == (400, word)


def test_tokens_end(client: GarminClient, row: Row) -> None:
    pair = client.exchange(row).json()
    client.advance(86399)
    assert client.user(pair["access_token"]).status_code == 200
    client.advance(1)
    assert failure(client.user(pair["access_token"])) == 401
    pair = client.renewed(pair["refresh_token"]).json()
    client.advance(7775998)
    assert error(client.renewed(pair["refresh_token"])) == (400, "invalid_grant")
    assert client.stats()["pairs_working"] == 0


def test_the_end_of_a_registration_ends_all_of_that_user(start: StartGarmin, row: Row, state: Path) -> None:
    client = start("repeat=keep")
    other_row = next(issue_tokens(state, 1))
    pairs = [client.exchange(row).json() for _ in range(2)]
    other = client.exchange(other_row).json()
    answer = client.deregister(pairs[0]["access_token"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert [failure(client.user(pair["access_token"])) for pair in pairs] == [401, 401]
    assert error(client.renewed(pairs[1]["refresh_token"])) == (400, "invalid_grant")
    assert [failure(client.user_signed(row)), failure(client.exchange(row))] == [401, 401]
    assert failure(client.deregister(pairs[0]["access_token"])) == 401
    assert client.user(other["access_token"]).status_code == client.user_signed(other_row).status_code == 200
    assert client.stats()["pairs_revoked"] == 2


def test_a_registration_is_not_ended_with_a_legacy_token(client: GarminClient, row: Row) -> None:
    _, headers, _ = client.signer(row).sign(client.base_url + REGISTRATION, "DELETE")
    assert failure(client.session.delete(client.base_url + REGISTRATION, headers=headers)) == 401
    assert client.user_signed(row).status_code == 200


@pytest.mark.parametrize("authorization", ["Bearer unknown", "Bearer ", "Basic eDp5"])
def test_who_shows_no_token_learns_nothing(client: GarminClient, authorization: str) -> None:
    answer = client.session.get(client.base_url + USER_ID, headers={"Authorization": authorization})
    assert failure(answer) in {400, 401}


@pytest.mark.parametrize("path", [EXCHANGE, TOKEN])
def test_a_503_and_a_429_say_a_message_alone(start: StartGarmin, row: Row, path: str) -> None:
    client = start("http-503=1")
    answer = client.session.post(client.base_url + path)
    assert (answer.status_code, [*answer.json()]) == (503, ["errorMessage"])
    client = start("limit=1/min")
    assert client.user_signed(row).status_code == 200
    answer = client.session.post(client.base_url + path)
    assert (answer.status_code, [*answer.json()]) == (429, ["errorMessage"])
    assert "Retry-After" not in answer.headers


def test_a_closed_exchange_swaps_no_more(start: StartGarmin, row: Row) -> None:
    pair = start().exchange(row).json()
    closed = start("exchange=closed")
    assert closed.exchange(row).status_code == 410
    assert closed.user(pair["access_token"]).status_code == closed.user_signed(row).status_code == 200
    assert closed.renewed(pair["refresh_token"]).status_code == 200
    assert closed.stats()["swaps_issued"] == 1


def test_no_limit_holds_unless_one_is_ordered(client: GarminClient, row: Row) -> None:
    assert {client.user_signed(row).status_code for _ in range(130)} == {200}  # more than the script's 120
