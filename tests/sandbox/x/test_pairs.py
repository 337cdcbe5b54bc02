"""What becomes of X's pairs: verified, refreshed, revoked."""

from __future__ import annotations

import pytest

from tests.sandbox.application import Row
from tests.sandbox.support import digest
from tests.sandbox.x.conftest import StartX
from tests.sandbox.x.support import XClient, error

UNAUTHORISED = {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}


def test_a_refresh_token_serves_once(client: XClient, row: Row) -> None:
    first = client.exchange(row).json()
    second = client.refresh(first["refresh_token"]).json()
    assert second.keys() == first.keys()
    assert second["scope"] == first["scope"]
    assert not {first["access_token"], first["refresh_token"]} & {
        second["access_token"],
        second["refresh_token"],
    }
    assert error(client.refresh(first["refresh_token"])) == (400, "invalid_grant")
    third = client.refresh(second["refresh_token"]).json()
    facts = client.stats()
    assert (facts["refreshes_issued"], facts["pairs_working"], facts["pairs_dead"]) == (2, 1, 2)
    assert facts["tokens"][0]["refresh_tokens_sha256"] == [digest(third["refresh_token"])]


def test_a_grace_can_be_ordered(start: StartX, row: Row) -> None:
    client = start(refresh_grace=60)
    first = client.exchange(row).json()
    assert [client.refresh(first["refresh_token"]).status_code for _ in range(2)] == [200, 200]
    client.advance(61)
    assert error(client.refresh(first["refresh_token"])) == (400, "invalid_grant")


def test_another_exchange_cures_a_lost_refresh_token(client: XClient, row: Row) -> None:
    lost = client.exchange(row).json()
    client.refresh(lost["refresh_token"])
    pair = client.exchange(row).json()
    assert client.me(pair["access_token"]).status_code == 200
    assert client.stats()["pairs_working"] == 1


@pytest.mark.parametrize("token", ["", "unknown"])
def test_a_refresh_needs_a_refresh_token(client: XClient, token: str) -> None:
    assert error(client.refresh(token)) == (400, "invalid_grant" if token else "invalid_request")


def test_tokens_end(client: XClient, row: Row) -> None:
    pair = client.exchange(row).json()
    client.advance(7199)
    assert client.me(pair["access_token"]).status_code == 200
    client.advance(1)
    assert client.me(pair["access_token"]).status_code == 401
    client.advance(181 * 86400)
    pair = client.refresh(pair["refresh_token"]).json()
    client.advance(182 * 86400)
    assert error(client.refresh(pair["refresh_token"])) == (400, "invalid_grant")
    assert client.stats()["pairs_working"] == 0


def test_only_reads_that_are_answered_cost(client: XClient, row: Row) -> None:
    pair = client.exchange(row).json()
    for authorization in ("", "Bearer ", "Bearer unknown", f"Basic {pair['access_token']}", "OAuth x"):
        answer = client.session.get(f"{client.base_url}/2/users/me", headers={"Authorization": authorization})
        assert (answer.status_code, answer.json()) == (401, UNAUTHORISED)
    assert client.stats()["reads_billed"] == 0
    assert client.me(pair["access_token"]).json()["data"].keys() == {"id", "name", "username"}
    assert client.me_signed(row).status_code == 200
    assert client.stats()["reads_billed"] == 2


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_revoked_pair_is_dead_with_all_its_refreshes(client: XClient, row: Row, kind: str) -> None:
    first = client.exchange(row).json()
    second = client.refresh(first["refresh_token"]).json()
    answer = client.revoke({"token": second[kind]})
    assert (answer.status_code, answer.json()) == (200, {"revoked": True})
    assert [client.me(pair["access_token"]).status_code for pair in (first, second)] == [401, 401]
    assert error(client.refresh(second["refresh_token"])) == (400, "invalid_grant")
    assert client.stats()["pairs_revoked"] == 1
    assert client.exchange(row).status_code == 200


def test_nobody_revokes_for_another_client(client: XClient, row: Row) -> None:
    public = {"client_id": client.known["public_client_id"]}
    pair = client.exchange(row).json()
    assert client.revoke({"token": pair["refresh_token"], **public}, auth=None).status_code == 200
    assert client.me(pair["access_token"]).status_code == 200
    assert error(client.revoke({"token": pair["refresh_token"]}, auth=None)) == (400, "unauthorized_client")
    assert error(client.revoke({})) == (400, "invalid_request")
