"""What becomes of Tumblr's pairs: verified, refreshed, expired."""

from __future__ import annotations

import pytest

from tests.sandbox.application import Row
from tests.sandbox.tumblr.support import INFO, TOKEN, TumblrClient, error, name


def test_a_refresh_token_serves_once(client: TumblrClient, row: Row) -> None:
    first = client.exchange(row).json()
    second = client.renewed(first["refresh_token"]).json()
    assert second.keys() == first.keys()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == "basic write"
    assert name(client.info(second["access_token"])) == name(client.info(first["access_token"]))
    assert error(client.renewed(first["refresh_token"])) == 401
    assert client.stats()["refreshes_issued"] == 1


def test_tokens_end(client: TumblrClient, row: Row) -> None:
    pair = client.exchange(row).json()
    client.advance(2519)
    assert client.info(pair["access_token"]).status_code == 200
    client.advance(1)
    assert error(client.info(pair["access_token"])) == 401
    pair = client.renewed(pair["refresh_token"]).json()
    client.advance(30 * 86400)
    assert error(client.renewed(pair["refresh_token"])) == 401
    assert client.stats()["pairs_working"] == 0


def test_the_client_is_the_consumer(client: TumblrClient, row: Row) -> None:
    known = client.known
    assert (known["client_id"], known["client_secret"]) == (known["consumer_key"], known["consumer_secret"])
    assert "public_client_id" not in known
    pair = client.exchange(row).json()
    for fields in (
        {"client_secret": "wrong"},
        {"client_secret": None},
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": None, "client_secret": None},
    ):
        assert error(client.renewed(pair["refresh_token"], fields)) == 401
    nameless = {"client_id": None, "client_secret": None}
    basic = (known["client_id"], known["client_secret"])
    assert error(client.renewed(pair["refresh_token"], nameless, auth=basic)) == 401
    assert client.renewed(pair["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"grant_type": None}, 400),
        ({"grant_type": "authorization_code"}, 400),
        ({"refresh_token": None}, 400),
        ({"refresh_token": "unknown"}, 401),
    ],
)
def test_what_the_token_endpoint_refuses(
    client: TumblrClient, fields: dict[str, str | None], status: int
) -> None:
    assert error(client.renewed("any", fields)) == status


def test_the_form_must_be_one(client: TumblrClient) -> None:
    assert error(client.session.post(client.base_url + TOKEN, json={})) == 400
    twice = [("client_id", "a"), ("client_id", "b")]
    assert error(client.session.post(client.base_url + TOKEN, data=twice)) == 400


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer unknown", "Basic eDp5", "OAuth x"])
def test_who_shows_no_token_learns_nothing(client: TumblrClient, authorization: str) -> None:
    answer = client.session.get(client.base_url + INFO, headers={"Authorization": authorization})
    assert error(answer) == 401
