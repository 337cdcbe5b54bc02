"""What a pair reaches: the tenants of users with several, disconnecting one, and the organisation itself."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from migrator.sandbox import adopt_tokens, issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.support import Client, Pair, in_threads


@pytest.fixture
def four(state: Path) -> list[Row]:
    """The tokens of a user with four organisations."""
    return list(issue_tokens(state, 4, "partner=1", expired=0, organisations_per_user=4))


def test_four_swaps_give_four_pairs_that_all_see_the_same_four_tenants(
    client: Client, four: list[Row]
) -> None:
    pairs = [client.swap(row).json() for row in four]
    tenants = [row["tenant_id"] for row in four]
    assert [client.tenants(pair["access_token"]) for pair in pairs] == [tenants] * 4
    seen = client.connections(pairs[0]["access_token"]).json()
    assert len({connection["id"] for connection in seen}) == 4
    assert {connection["authEventId"] for connection in seen} == {None}
    assert client.connections(pairs[3]["access_token"]).json() == seen
    entries = client.stats()["tokens"]
    assert len({entry["user_id"] for entry in entries}) == 1
    assert [entry["pairs_working"] for entry in entries] == [1] * 4


def test_a_disconnected_tenant_is_gone_for_every_pair_of_the_user(client: Client, four: list[Row]) -> None:
    one, other = (client.swap(row).json()["access_token"] for row in four[:2])
    connection = client.connections(one).json()[0]
    answer = client.disconnect(other, connection["id"].upper())
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert client.tenants(one) == client.tenants(other) == [four[1]["tenant_id"]]
    assert client.organisation(one, four[0]["tenant_id"]).status_code == 403
    stats = client.stats()
    assert (stats["tenants_connected"], stats["disconnections"], stats["pairs_working"]) == (1, 1, 2)
    assert [entry["connected"] for entry in stats["tokens"]] == [False, True, False, False]
    assert [entry["disconnections"] for entry in stats["tokens"]] == [1, 0, 0, 0]


def test_a_connection_is_disconnected_once(client: Client, partner: Row, pair: Pair) -> None:
    (connection,) = client.connections(pair["access_token"]).json()
    statuses: list[int] = []
    in_threads(
        *[lambda: statuses.append(client.disconnect(pair["access_token"], connection["id"]).status_code)] * 4
    )
    assert sorted(statuses) == [204, 404, 404, 404]
    assert client.tenants(pair["access_token"]) == []
    assert client.stats()["disconnections"] == 1


def test_a_swap_connects_again_under_a_new_id(client: Client, partner: Row, pair: Pair) -> None:
    (before,) = client.connections(pair["access_token"]).json()
    client.disconnect(pair["access_token"], before["id"])
    (after,) = client.connections(client.swap(partner).json()["access_token"]).json()
    assert after["tenantId"] == before["tenantId"]
    assert after["id"] != before["id"]
    assert after["createdDateUtc"] > before["createdDateUtc"]


def test_nobody_disconnects_what_is_not_theirs(client: Client, state: Path, pair: Pair) -> None:
    other = client.swap(next(issue_tokens(state, 1, "partner=1", expired=0))).json()
    (connection,) = client.connections(pair["access_token"]).json()
    for oauth2_id in (connection["id"], str(uuid.uuid4()), "x", connection["tenantId"], "%ff"):
        answer = client.disconnect(other["access_token"], oauth2_id)
        assert (answer.status_code, answer.json()["Status"]) == (404, 404)
    assert client.stats()["disconnections"] == 0


def test_an_access_token_that_does_not_work_reaches_nothing(client: Client, partner: Row, pair: Pair) -> None:
    (connection,) = client.connections(pair["access_token"]).json()
    client.advance(1801)
    for token in (pair["access_token"], "x"):
        assert client.disconnect(token, connection["id"]).status_code == 401
        assert client.organisation(token, partner["tenant_id"]).status_code == 401
    assert client.stats()["disconnections"] == 0


@pytest.mark.parametrize("path", ["/api.xro/2.0/Organisation", "/API.XRO/2.0/organisations"])
@pytest.mark.parametrize("header", ["xero-tenant-id", "Xero-Tenant-Id"])
def test_an_organisation_is_described(
    client: Client, partner: Row, pair: Pair, path: str, header: str
) -> None:
    answer = client.session.get(
        f"{client.base_url}{path}",
        headers={"Authorization": f"Bearer {pair['access_token']}", header: partner["tenant_id"].upper()},
    )
    document = answer.json()
    assert answer.status_code == 200
    assert uuid.UUID(document.pop("Id"))
    kind = {"ORGANISATION": "COMPANY", "PRACTICE": "ACCOUNTING_PRACTICE"}[partner["tenant_type"]]
    described = {
        "OrganisationID": partner["tenant_id"],
        "Name": partner["organisation"],
        "OrganisationType": kind,
        "CountryCode": "NZ",
    }
    assert document == {"Status": "OK", "Organisations": [described]}


def test_every_pair_of_a_user_reaches_every_connected_organisation(client: Client, four: list[Row]) -> None:
    one, other = (client.swap(row).json()["access_token"] for row in four[:2])
    for token in (one, other):
        statuses = [client.organisation(token, row["tenant_id"]).status_code for row in four]
        assert statuses == [200, 200, 403, 403]


def test_a_tenant_that_the_user_has_not_connected_is_forbidden(
    client: Client, state: Path, partner: Row, pair: Pair
) -> None:
    stranger = next(issue_tokens(state, 1, "partner=1", expired=0))
    client.swap(stranger)
    for tenant_id in (stranger["tenant_id"], str(uuid.uuid4()), "", "%"):
        answer = client.organisation(pair["access_token"], tenant_id)
        assert (answer.status_code, answer.json()["Detail"]) == (403, "AuthenticationUnsuccessful")
    answer = client.session.get(
        f"{client.base_url}/api.xro/2.0/Organisation",
        headers={"Authorization": f"Bearer {pair['access_token']}"},
    )
    assert (answer.status_code, answer.json()["Detail"]) == (403, "AuthenticationUnsuccessful")


def test_a_practice_is_an_organisation_too(client: Client, state: Path, partner: Row) -> None:
    practice = {**partner, "oauth_token": "t", "tenant_id": str(uuid.uuid4()), "tenant_type": "PRACTICE"}
    assert adopt_tokens(state, [practice]) == 1
    token = client.swap(practice).json()["access_token"]
    (described,) = client.organisation(token, practice["tenant_id"]).json()["Organisations"]
    assert described["OrganisationType"] == "ACCOUNTING_PRACTICE"
