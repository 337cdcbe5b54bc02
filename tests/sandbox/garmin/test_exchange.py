"""The exchange of Garmin's legacy tokens, and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from oauthlib import oauth1

from migrator.sandbox import issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.garmin.conftest import StartGarmin
from tests.sandbox.garmin.support import EXCHANGE, LEGACY_LIFETIME, GarminClient, failure
from tests.sandbox.support import at, digest


def test_a_pair_for_a_legacy_token(client: GarminClient, row: Row) -> None:
    before = client.user_signed(row).json()
    answer = client.exchange(row)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    pair = answer.json()
    assert pair.keys() == {
        "access_token",
        "token_type",
        "refresh_token",
        "expires_in",
        "scope",
        "refresh_token_expires_in",
    }
    assert (pair["expires_in"], pair["refresh_token_expires_in"]) == (86400, 7775998)
    (entry,) = client.stats()["tokens"]
    assert client.user(pair["access_token"]).json() == before == {"userId": entry["user_id"]}
    assert entry["refresh_tokens_sha256"] == [digest(pair["refresh_token"])]


def test_users_do_not_meet(client: GarminClient, state: Path) -> None:
    rows = list(issue_tokens(state, 3))
    users = [client.user(client.exchange(row).json()["access_token"]).json()["userId"] for row in rows]
    assert users == [entry["user_id"] for entry in client.stats()["tokens"]]
    assert len(set(users)) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"path": f"{EXCHANGE}?a=b"},
        {"form": {"a": "b"}},
        {"json_body": {}},
        {"signature_type": oauth1.SIGNATURE_TYPE_QUERY},
    ],
)
def test_it_takes_no_parameters_and_no_body(client: GarminClient, row: Row, changes: dict[str, Any]) -> None:
    assert failure(client.exchange(row, **changes)) == 400
    assert client.stats()["swaps_issued"] == 0


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"client_key": "nobody"}, 401),
        ({"client_secret": "wrong"}, 401),
        ({"resource_owner_secret": "wrong"}, 401),
        ({"resource_owner_key": "unknown"}, 401),
        ({"timestamp": at(-3600)}, 401),
        ({"signature_method": oauth1.SIGNATURE_HMAC_SHA256}, 400),
        ({"resource_owner_key": None}, 400),
    ],
)
@pytest.mark.parametrize("call", ["exchange", "user_signed"])
def test_every_signature_is_checked(
    client: GarminClient, row: Row, call: str, changes: dict[str, Any], status: int
) -> None:
    assert failure(getattr(client, call)(row, **changes)) == status
    assert client.stats()["swaps_issued"] == 0


def test_a_nonce_serves_once(client: GarminClient, row: Row) -> None:
    now = at(0)
    answers = [client.exchange(row, nonce="same", timestamp=now) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert client.stats()["nonce_reuse"] == 1


def test_a_bearer_token_is_no_signature(client: GarminClient, row: Row) -> None:
    pair = client.exchange(row).json()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert failure(client.session.post(client.base_url + EXCHANGE, headers=headers)) == 400


def test_the_legacy_token_lives_thirty_days_more(client: GarminClient, row: Row) -> None:
    client.advance(400 * 86400)

    def call(name: str) -> int:
        timestamp = at(client.stats()["clock_advanced_seconds"])
        status: int = getattr(client, name)(row, timestamp=timestamp).status_code
        return status

    assert [call("user_signed"), call("exchange")] == [200, 200]
    client.advance(LEGACY_LIFETIME - 60)
    assert [call("user_signed"), call("exchange")] == [200, 200]
    client.advance(60)  # and the second exchange has not made it longer
    assert [call("user_signed"), call("exchange")] == [401, 401]
    assert client.stats()["tokens"][0]["oauth_tokens_sha256"] == []


@pytest.mark.parametrize(
    ("rule", "second", "first_lives", "legacy_lives"),
    [
        (None, 200, False, True),  # the strictest that gives a pair
        ("newest-wins", 200, False, True),
        ("keep", 200, True, True),
        ("never", 401, True, False),
        ("once", 400, True, True),
    ],
)
def test_any_rule_can_be_ordered(
    start: StartGarmin, row: Row, rule: str | None, second: int, first_lives: bool, legacy_lives: bool
) -> None:
    client = start(*([f"repeat={rule}"] if rule else []))
    first = client.exchange(row).json()
    again = client.exchange(row)
    assert again.status_code == second
    if second == 200:
        assert client.user(again.json()["access_token"]).status_code == 200
    else:
        assert failure(again) == second
    assert (client.user(first["access_token"]).status_code == 200) is first_lives
    assert (client.user_signed(row).status_code == 200) is legacy_lives
