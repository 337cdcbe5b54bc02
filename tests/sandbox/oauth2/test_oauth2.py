"""``/connect/token`` and ``/connections``."""

from __future__ import annotations

import re
from pathlib import Path

import jwt
import pytest

from migrator.sandbox import issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.conftest import Start
from tests.sandbox.support import SCOPE, Client, Pair, at, digest, in_threads


def test_a_refresh_answers_a_whole_pair(client: Client, pair: Pair) -> None:
    answer = client.refresh(pair["refresh_token"])
    fresh = answer.json()
    assert answer.status_code == 200
    assert fresh.keys() == {"access_token", "refresh_token", "expires_in", "token_type", "scope"}
    assert fresh["expires_in"] == 1800
    assert fresh["scope"] == SCOPE
    assert fresh["refresh_token"] != pair["refresh_token"]
    assert client.connections(fresh["access_token"]).status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_refresh_token_serves_once_and_rotates(client: Client, pair: Pair) -> None:
    fresh = client.refresh(pair["refresh_token"]).json()
    again = client.refresh(pair["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert client.refresh(fresh["refresh_token"]).status_code == 200
    assert client.stats()["refreshes_issued"] == 2


def test_the_old_access_token_outlives_a_refresh(client: Client, pair: Pair) -> None:
    client.refresh(pair["refresh_token"])
    assert client.connections(pair["access_token"]).status_code == 200


def test_credentials_in_the_body_serve_too(client: Client, pair: Pair) -> None:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": pair["refresh_token"],
        "client_id": client.known["client_id"],
        "client_secret": client.known["client_secret"],
    }
    assert client.session.post(f"{client.base_url}/connect/token", data=form).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, 400, "invalid_request"),
        ({"refresh_token": "unknown"}, 400, "invalid_grant"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"scope": f"{SCOPE} further"}, 400, "invalid_scope"),
        ({"client_id": "another"}, 401, "invalid_client"),
        ({"client_secret": "twice"}, 400, "invalid_request"),
    ],
)
def test_refused_refreshes(
    client: Client, pair: Pair, fields: dict[str, str], status: int, error: str
) -> None:
    answer = client.refresh(pair["refresh_token"], fields)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert client.stats()["pairs_working"] == 1


@pytest.mark.parametrize(
    ("authorization", "status"),
    [("Basic !", 401), ("Basic bm9ib2R5", 401), ("Bearer x", 401), (None, 400)],
)
def test_who_does_not_authenticate_is_no_client(
    client: Client, pair: Pair, authorization: str | None, status: int
) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    headers = {"Authorization": authorization} if authorization else {}
    answer = client.session.post(f"{client.base_url}/connect/token", data=form, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, "invalid_client")
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize(
    "body", ["refresh_token=x", "grant_type=refresh_token&grant_type=refresh_token&refresh_token=x"]
)
def test_a_malformed_form_is_an_invalid_request(client: Client, body: str) -> None:
    answer = client.session.post(
        f"{client.base_url}/connect/token",
        data=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        auth=(client.known["client_id"], client.known["client_secret"]),
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_json_is_no_form(client: Client) -> None:
    answer = client.session.post(f"{client.base_url}/connect/token", json={"grant_type": "refresh_token"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_narrower_scope_narrows_the_access_token_only(client: Client, pair: Pair) -> None:
    narrow = client.refresh(pair["refresh_token"], {"scope": "offline_access"}).json()
    assert narrow["scope"] == "offline_access"
    claims = jwt.decode(narrow["access_token"], options={"verify_signature": False})
    assert claims["scope"] == ["offline_access"]
    assert client.refresh(narrow["refresh_token"]).json()["scope"] == SCOPE


# A grace for who lost the answer


def test_within_the_grace_a_used_refresh_token_wins_another_pair_and_the_newest_wins(
    start: Start, partner: Row
) -> None:
    client = start(refresh_grace=60)
    pair = client.swap(partner).json()
    lost = client.refresh(pair["refresh_token"]).json()
    client.advance(50)
    newest = client.refresh(pair["refresh_token"]).json()
    assert client.refresh(lost["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.connections(lost["access_token"]).status_code == 401
    for access_token in (pair["access_token"], newest["access_token"]):
        assert client.connections(access_token).status_code == 200
    (entry,) = client.stats()["tokens"]
    assert (entry["refreshes"], entry["refresh_tokens_sha256"]) == (2, [digest(newest["refresh_token"])])
    assert client.refresh(newest["refresh_token"]).status_code == 200


def test_the_grace_counts_from_the_first_use(start: Start, partner: Row) -> None:
    client = start(refresh_grace=60)
    pair = client.swap(partner).json()
    for _ in range(2):
        client.refresh(pair["refresh_token"])
        client.advance(35)
    assert client.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.stats()["pairs_working"] == 1


def test_a_retry_within_the_grace_ends_all_that_was_won_from_the_first_use(
    start: Start, partner: Row
) -> None:
    client = start(refresh_grace=60)
    pair = client.swap(partner).json()
    first = client.refresh(pair["refresh_token"]).json()
    second = client.refresh(first["refresh_token"]).json()
    newest = client.refresh(pair["refresh_token"]).json()
    for dead in (first, second):
        assert client.refresh(dead["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.refresh(newest["refresh_token"]).status_code == 200


def test_no_grace_brings_a_superseded_pair_back(start: Start, partner: Row) -> None:
    client = start(refresh_grace=60)
    pair = client.swap(partner).json()
    client.refresh(pair["refresh_token"])
    client.swap(partner)
    assert client.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.stats()["pairs_working"] == 1


def test_without_a_grace_a_clock_that_goes_back_brings_nothing_back(start: Start, partner: Row) -> None:
    ahead = start("clock-skew=20min")
    pair = ahead.swap(partner, timestamp=at(20 * 60)).json()
    ahead.refresh(pair["refresh_token"])
    assert start().refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"


def test_of_two_refreshes_at_the_same_time_one_succeeds(client: Client, pair: Pair) -> None:
    statuses: list[int] = []
    in_threads(*[lambda: statuses.append(client.refresh(pair["refresh_token"]).status_code)] * 8)
    assert sorted(statuses) == [200] + [400] * 7


def test_a_refresh_leaves_the_users_other_pairs_alone(client: Client, state: Path) -> None:
    rows = issue_tokens(state, 2, "partner=1", expired=0, organisations_per_user=2)
    one, other = (client.swap(row).json() for row in rows)
    client.refresh(one["refresh_token"])
    assert client.connections(other["access_token"]).status_code == 200
    assert client.refresh(other["refresh_token"]).status_code == 200


def test_a_refresh_token_lives_thirty_days_from_the_last_refresh(client: Client, pair: Pair) -> None:
    token = pair["refresh_token"]
    for _ in range(2):
        client.advance(29 * 86400)
        token = client.refresh(token).json()["refresh_token"]
    client.advance(30 * 86400)
    assert client.refresh(token).json()["error"] == "invalid_grant"


def test_a_refresh_token_dies_after_thirty_days_unused(start: Start, partner: Row) -> None:
    pair = start().swap(partner).json()
    assert start("clock-skew=29day").stats()["pairs_working"] == 1
    later = start("clock-skew=31day")
    assert later.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    stats = later.stats()
    assert (stats["pairs_working"], stats["pairs_dead"]) == (0, 1)


def test_connections_are_described_as_the_provider_does(client: Client, partner: Row, pair: Pair) -> None:
    answer = client.connections(pair["access_token"])
    (connection,) = answer.json()
    assert answer.status_code == 200
    assert connection.keys() == {
        "id",
        "authEventId",
        "tenantId",
        "tenantType",
        "tenantName",
        "createdDateUtc",
        "updatedDateUtc",
    }
    assert connection["tenantId"] == partner["tenant_id"]
    assert connection["tenantType"] == partner["tenant_type"]
    assert connection["tenantName"] == partner["organisation"]
    assert connection["authEventId"] is None
    for name in ("createdDateUtc", "updatedDateUtc"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}", connection[name])


def test_a_connection_keeps_its_id_when_it_is_swapped_again(client: Client, partner: Row, pair: Pair) -> None:
    (before,) = client.connections(pair["access_token"]).json()
    (after,) = client.connections(client.swap(partner).json()["access_token"]).json()
    assert (before["id"], before["createdDateUtc"]) == (after["id"], after["createdDateUtc"])
    assert before["updatedDateUtc"] < after["updatedDateUtc"]


def test_an_access_token_lives_thirty_minutes(start: Start, partner: Row) -> None:
    token = start().swap(partner).json()["access_token"]
    assert start("clock-skew=29min").connections(token).status_code == 200
    refused = start("clock-skew=31min").connections(token)
    assert (refused.status_code, refused.json()["Detail"]) == (401, "TokenExpired")


def test_forged_and_missing_access_tokens_are_refused(client: Client, pair: Pair) -> None:
    claims = jwt.decode(pair["access_token"], options={"verify_signature": False})
    forged = jwt.encode(claims, "x" * 32, algorithm="HS256")
    unsigned = jwt.encode(claims, "", algorithm="none")
    for token in (forged, unsigned, pair["access_token"][:-4], "x", ""):
        answer = client.connections(token)
        assert answer.status_code == 401
        assert answer.json()["Status"] == 401
    assert client.session.get(f"{client.base_url}/connections").status_code == 401
