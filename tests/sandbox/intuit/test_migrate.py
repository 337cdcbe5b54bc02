"""Intuit's migration: what it answers, what it refuses, and what a second one gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrator.sandbox import adopt_tokens, issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.intuit.conftest import Start
from tests.sandbox.intuit.support import DAY, MIGRATE, IntuitClient, problem
from tests.sandbox.support import digest


def test_a_pair_for_a_company(client: IntuitClient, row: Row) -> None:
    answer = client.migrate(row)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    pair = answer.json()
    access_token, refresh_token = pair.pop("access_token"), pair.pop("refresh_token")
    assert pair == {
        "token_type": "bearer",
        "expires_in": 3600,
        "x_refresh_token_expires_in": 8726400,
        "realmId": row["tenant_id"],
    }
    (entry,) = client.stats()["tokens"]
    assert entry["tenant_id"] == row["tenant_id"]
    assert entry["access_tokens_sha256"] == [digest(access_token)]
    assert entry["refresh_tokens_sha256"] == [digest(refresh_token)]


def test_a_second_migration_gets_a_bare_500_every_time(client: IntuitClient, state: Path, row: Row) -> None:
    pair = client.migrate(row).json()
    other = {**row, "oauth_token": "another-token-of-the-company", "oauth_expires_at": ""}
    adopt_tokens(state, [other])
    for again in (row, row, other):
        answer = client.migrate(again)
        assert (answer.status_code, answer.content) == (500, b"")
        assert answer.headers["intuit_tid"]
    assert client.refresh(pair["refresh_token"]).status_code == 200
    assert client.stats()["swaps_issued"] == 1


@pytest.mark.parametrize(
    ("rule", "second", "first_lives"),
    [("newest-wins", 200, False), ("keep", 200, True), ("never", 401, True), ("once", 500, True)],
)
def test_another_rule_can_be_ordered(
    start: Start, row: Row, rule: str, second: int, first_lives: bool
) -> None:
    client = start(f"repeat={rule}")
    first = client.migrate(row).json()
    assert client.migrate(row).status_code == second
    assert (client.refresh(first["refresh_token"]).status_code == 200) is first_lives


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"client_secret": "wrong"}, "signature_invalid"),
        ({"resource_owner_secret": "wrong"}, "signature_invalid"),
        ({"resource_owner_key": "unknown"}, "token_rejected"),
        ({"client_key": "unknown"}, "consumer_key_unknown"),
        ({"timestamp": "1"}, "timestamp_refused"),
    ],
)
def test_wrong_signatures_are_refused_in_a_header(
    client: IntuitClient, row: Row, changes: dict[str, Any], word: str
) -> None:
    assert problem(client.migrate(row, **changes)) == (401, f'OAuth oauth_problem="{word}"')
    assert client.stats()["swaps_issued"] == 0


def test_a_signed_call_counts_once(client: IntuitClient, row: Row) -> None:
    fixed: dict[str, Any] = {
        "nonce": "n",
        "timestamp": client.signed(row, "POST", MIGRATE)[1]["Authorization"],
    }
    fixed["timestamp"] = fixed["timestamp"].partition('oauth_timestamp="')[2].partition('"')[0]
    assert client.migrate(row, {"scope": ""}, **fixed).status_code == 400
    assert problem(client.migrate(row, **fixed)) == (401, 'OAuth oauth_problem="nonce_used"')


def test_an_unsigned_call(client: IntuitClient) -> None:
    answer = client.call("POST", MIGRATE, json={})
    assert problem(answer) == (400, 'OAuth oauth_problem="parameter_absent"')


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"client_id": "wrong"}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_secret": None}, "invalid_client"),
        ({"redirect_uri": "https://elsewhere.example/"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": ["x"]}, "invalid_request"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": 7}, "invalid_scope"),
    ],
)
def test_wrong_bodies(client: IntuitClient, row: Row, fields: dict[str, object], word: str) -> None:
    answer = client.migrate(row, fields)
    assert (answer.status_code, answer.json()) == (400, {"error": word})
    assert client.migrate(row).status_code == 200


def test_tokens_end(client: IntuitClient, state: Path) -> None:
    expired = next(issue_tokens(state, 1, expired=1))
    assert problem(client.migrate(expired)) == (401, 'OAuth oauth_problem="token_expired"')
    alive = {**expired, "oauth_token": "new", "oauth_expires_at": "", "tenant_id": "42"}
    adopt_tokens(state, [alive])
    client.advance(179 * DAY)
    assert client.migrate(alive).json()["realmId"] == "42"


def test_another_applications_token_is_refused(client: IntuitClient, state: Path, row: Row) -> None:
    other = {**row, "oauth_token": "of-another", "consumer_key": "another"}
    adopt_tokens(state, [other])
    assert problem(client.migrate(other)) == (401, 'OAuth oauth_problem="token_rejected"')


def test_every_answer_has_an_id_for_the_support(start: Start, row: Row) -> None:
    limited, failing, closed = start("limit=1/min"), start("http-503=1"), start("exchange=closed")
    answers = [
        limited.migrate(row, {"scope": ""}),
        limited.migrate(row),
        failing.migrate(row),
        closed.migrate(row),
        start().reconnect(row),
    ]
    assert [answer.status_code for answer in answers] == [400, 429, 503, 410, 200]
    assert len({answer.headers["intuit_tid"] for answer in answers}) == len(answers)
