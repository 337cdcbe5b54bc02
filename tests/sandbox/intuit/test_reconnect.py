"""Intuit's reconnection of legacy tokens: only near their end, and told in XML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrator.sandbox import adopt_tokens
from tests.sandbox.application import Row
from tests.sandbox.intuit.conftest import Start
from tests.sandbox.intuit.support import DAY, IntuitClient, told


@pytest.fixture
def new(state: Path, row: Row) -> Row:
    """A token that is good for 180 days."""
    made = {**row, "oauth_token": "new", "oauth_expires_at": "", "tenant_id": "42"}
    assert adopt_tokens(state, [made]) == 1
    return made


def test_only_in_the_last_thirty_days(client: IntuitClient, new: Row) -> None:
    assert told(client.reconnect(new))["ErrorCode"] == "212"
    client.advance(149 * DAY)
    assert told(client.reconnect(new))["ErrorCode"] == "212"
    client.advance(2 * DAY)
    assert told(client.reconnect(new))["ErrorCode"] == "0"


def test_the_new_token_replaces_the_old_one(client: IntuitClient, new: Row) -> None:
    client.advance(160 * DAY)
    answer = told(client.reconnect(new))
    assert answer.keys() == {"ErrorMessage", "ErrorCode", "ServerTime", "OAuthToken", "OAuthTokenSecret"}
    fresh = {"oauth_token": answer["OAuthToken"], "oauth_token_secret": answer["OAuthTokenSecret"]}
    assert told(client.reconnect(new))["ErrorCode"] == "22"
    assert client.migrate(new).status_code == 401
    client.advance(179 * DAY)
    assert client.migrate(fresh).json()["realmId"] == "42"
    assert client.stats()["renewals"] == 1


def test_an_expired_token_cannot_be_replaced(client: IntuitClient, new: Row) -> None:
    client.advance(180 * DAY)
    answer = told(client.reconnect(new))
    assert answer.keys() == {"ErrorMessage", "ErrorCode", "ServerTime"}
    assert answer["ErrorCode"] == "270"


@pytest.mark.parametrize(
    "changes", [{"client_secret": "wrong"}, {"resource_owner_key": "unknown"}, {"client_key": "unknown"}]
)
def test_who_is_not_known_must_authorise_again(
    client: IntuitClient, new: Row, changes: dict[str, Any]
) -> None:
    client.advance(160 * DAY)
    assert told(client.reconnect(new, **changes))["ErrorCode"] == "22"
    assert client.stats()["renewals"] == 0


def test_an_application_that_is_not_approved(start: Start, new: Row) -> None:
    client = start(certified=False)
    client.advance(160 * DAY)
    assert told(client.reconnect(new))["ErrorCode"] == "24"
    assert client.migrate(new).status_code == 200
