"""The exchange of Tumblr's legacy tokens, which die of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from oauthlib import oauth1
from urllib3.util import SKIP_HEADER

from migrator.sandbox import issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.support import at, digest
from tests.sandbox.tumblr.conftest import StartTumblr
from tests.sandbox.tumblr.support import EXCHANGE, INFO, TOKEN, TumblrClient, error, name


def test_a_pair_without_an_envelope(client: TumblrClient, row: Row) -> None:
    before = name(client.info_signed(row))
    answer = client.exchange(row)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    pair = answer.json()
    assert pair.keys() == {"access_token", "expires_in", "token_type", "scope", "refresh_token"}
    assert (pair["expires_in"], pair["token_type"], pair["scope"]) == (2520, "bearer", "basic write")
    (entry,) = client.stats()["tokens"]
    assert name(client.info(pair["access_token"])) == before == entry["user_id"]
    assert entry["refresh_tokens_sha256"] == [digest(pair["refresh_token"])]


def test_the_legacy_token_dies_of_it(client: TumblrClient, row: Row) -> None:
    pair = client.exchange(row).json()
    assert error(client.exchange(row)) == 401
    refused = client.info_signed(row)
    assert refused.json()["meta"] == {"status": 401, "msg": "Unauthorized"}
    assert error(refused) == 401
    assert name(client.info(pair["access_token"]))
    facts = client.stats()
    assert (facts["swaps_issued"], facts["pairs_working"]) == (1, 1)
    assert facts["tokens"][0]["oauth_tokens_sha256"] == []


def test_users_do_not_meet(client: TumblrClient, state: Path) -> None:
    rows = list(issue_tokens(state, 3))
    names = [name(client.info(client.exchange(row).json()["access_token"])) for row in rows]
    assert names == [entry["user_id"] for entry in client.stats()["tokens"]]
    assert len(set(names)) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"path": f"{EXCHANGE}?a=b"},
        {"form": {"a": "b"}},
        {"json_body": {}},
        {"signature_type": oauth1.SIGNATURE_TYPE_QUERY},
        {"signature_type": oauth1.SIGNATURE_TYPE_BODY, "form": {}},
    ],
)
def test_it_takes_a_header_and_no_parameters(client: TumblrClient, row: Row, changes: dict[str, Any]) -> None:
    assert error(client.exchange(row, **changes)) == 400
    assert client.exchange(row).status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer x", "Basic eDp5"])
def test_a_call_that_is_not_oauth1(client: TumblrClient, authorization: str) -> None:
    headers = {"Authorization": authorization}
    assert error(client.session.post(client.base_url + EXCHANGE, headers=headers)) == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"client_key": "nobody"},
        {"client_secret": "wrong"},
        {"resource_owner_secret": "wrong"},
        {"resource_owner_key": "unknown"},
        {"resource_owner_key": None},
        {"timestamp": at(-3600)},
        {"signature_method": oauth1.SIGNATURE_PLAINTEXT},
    ],
)
@pytest.mark.parametrize("call", ["exchange", "info_signed"])
def test_every_signature_is_checked(
    client: TumblrClient, row: Row, call: str, changes: dict[str, Any]
) -> None:
    assert error(getattr(client, call)(row, **changes)) == 401
    assert client.stats()["swaps_issued"] == 0


def test_a_nonce_serves_once(client: TumblrClient, row: Row) -> None:
    now = at(0)
    answers = [client.info_signed(row, nonce="same", timestamp=now) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert client.stats()["nonce_reuse"] == 1


def test_the_application_needs_a_redirect_url(client: TumblrClient, row: Row, state: Path) -> None:
    with closing(sqlite3.connect(state)) as db, db:
        db.execute("DELETE FROM redirect_uris")
    assert error(client.exchange(row)) == 400
    assert client.info_signed(row).status_code == 200
    with closing(sqlite3.connect(state)) as db, db:
        db.execute("INSERT INTO redirect_uris (uri) VALUES ('https://connect.example.com/callback')")
    assert client.exchange(row).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("POST", EXCHANGE), ("POST", TOKEN), ("GET", INFO)])
def test_every_call_names_its_program(client: TumblrClient, row: Row, method: Any, path: str) -> None:
    for agent in (SKIP_HEADER, ""):
        assert error(client.send(row, method, path, headers={"User-Agent": agent})) == 403
    assert client.exchange(row, headers={"User-Agent": "application/1"}).status_code == 200


def test_a_closed_exchange_swaps_no_more(start: StartTumblr, row: Row) -> None:
    closed = start("exchange=closed")
    assert closed.exchange(row).status_code == 410
    assert closed.info_signed(row).status_code == 200
    assert closed.stats()["swaps_issued"] == 0


@pytest.mark.parametrize(
    ("rule", "second", "first_lives", "legacy_lives"),
    [
        ("newest-wins", 200, False, True),
        ("keep", 200, True, True),
        ("never", 401, True, False),
        ("once", 401, True, True),
    ],
)
def test_another_rule_can_be_ordered(
    start: StartTumblr, row: Row, rule: str, second: int, first_lives: bool, legacy_lives: bool
) -> None:
    client = start(f"repeat={rule}")
    first = client.exchange(row).json()
    again = client.exchange(row)
    assert again.status_code == second
    if second != 200:
        assert error(again) == second
    assert (client.info(first["access_token"]).status_code == 200) is first_lives
    assert (client.info_signed(row).status_code == 200) is legacy_lives
