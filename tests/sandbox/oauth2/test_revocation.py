"""``/connect/revocation``: a client gives a token back."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.sandbox import issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.conftest import Start
from tests.sandbox.support import Client, Pair

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def dead(client: Client, pair: Pair) -> bool:
    """Whether neither token of a pair works."""
    return (
        client.connections(pair["access_token"]).status_code == 401
        and client.refresh(pair["refresh_token"]).json().get("error") == "invalid_grant"
    )


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "saml"])
def test_either_token_ends_the_pair_whatever_the_hint(
    client: Client, pair: Pair, kind: str, hint: str | None
) -> None:
    answer = client.revoke(pair[kind], {"token_type_hint": hint} if hint else {})
    assert (answer.status_code, answer.content) == (200, b"")
    assert "Content-Type" not in answer.headers
    assert dead(client, pair)
    assert client.stats()["pairs_revoked"] == 1


def test_all_that_was_won_from_the_same_grant_ends(client: Client, pair: Pair) -> None:
    fresh = client.refresh(pair["refresh_token"]).json()
    client.revoke(fresh["refresh_token"])
    assert dead(client, fresh)
    assert client.connections(pair["access_token"]).status_code == 401
    facts = client.stats()
    (entry,) = facts["tokens"]
    assert facts["pairs_revoked"] == 1
    assert (entry["pairs_revoked"], entry["pairs_working"], entry["access_tokens_sha256"]) == (1, 0, [])


def test_the_access_token_of_before_a_refresh_revokes_too(client: Client, pair: Pair) -> None:
    fresh = client.refresh(pair["refresh_token"]).json()
    client.revoke(pair["access_token"])
    assert dead(client, fresh)


def test_the_users_other_pairs_live_on_and_reach_what_they_did(client: Client, state: Path) -> None:
    rows = list(issue_tokens(state, 2, "partner=1", expired=0, organisations_per_user=2))
    one, other = (client.swap(row).json() for row in rows)
    client.revoke(one["refresh_token"])
    assert dead(client, one)
    assert client.tenants(other["access_token"]) == [row["tenant_id"] for row in rows]
    assert client.refresh(other["refresh_token"]).status_code == 200


def test_a_refresh_token_alone_holds_the_tenants(client: Client, state: Path) -> None:
    rows = issue_tokens(state, 2, "partner=1", expired=0, organisations_per_user=2)
    one, _ = (client.swap(row).json() for row in rows)
    client.advance(1801)
    client.revoke(one["refresh_token"])
    assert client.stats()["tenants_connected"] == 2


def test_another_users_pair_holds_nothing(client: Client, state: Path) -> None:
    rows = issue_tokens(state, 2, "partner=1", expired=0, organisations_per_user=1)
    one, _ = (client.swap(row).json() for row in rows)
    client.revoke(one["refresh_token"])
    assert [entry["connected"] for entry in client.stats()["tokens"]] == [False, True]


def test_another_grant_of_the_same_connection_lives_on(start: Start, partner: Row) -> None:
    client = start("repeat=keep")
    one, other = client.swap(partner).json(), client.swap(partner).json()
    client.revoke(one["refresh_token"])
    assert dead(client, one)
    assert client.refresh(other["refresh_token"]).status_code == 200


def test_with_a_users_last_pair_the_tenants_are_disconnected(client: Client, state: Path) -> None:
    rows = list(issue_tokens(state, 3, "partner=1", expired=0, organisations_per_user=3))
    for pair in [client.swap(row).json() for row in rows[:2]]:
        assert client.stats()["tenants_connected"] == 2
        client.revoke(pair["refresh_token"])
    stats = client.stats()
    assert (stats["tenants_connected"], stats["disconnections"], stats["pairs_revoked"]) == (0, 2, 2)
    again = client.swap(rows[2]).json()["access_token"]
    assert client.tenants(again) == [rows[2]["tenant_id"]]


def test_a_pair_whose_time_is_over_holds_no_tenant(client: Client, state: Path) -> None:
    rows = list(issue_tokens(state, 2, "partner=1", expired=0, organisations_per_user=2))
    pair, _ = (client.swap(row).json() for row in rows)
    client.advance(20 * 86400)
    fresh = client.refresh(pair["refresh_token"]).json()
    client.advance(20 * 86400)
    client.revoke(fresh["refresh_token"])
    assert client.stats()["tenants_connected"] == 0


@pytest.mark.parametrize("token", ["unknown", "a.b.c", "\ud7ff"])
def test_an_unknown_token_is_answered_alike_and_ends_nothing(client: Client, pair: Pair, token: str) -> None:
    answer = client.revoke(token)
    assert (answer.status_code, answer.content) == (200, b"")
    assert client.refresh(pair["refresh_token"]).status_code == 200


def test_a_token_that_does_not_work_any_more_is_as_good_as_unknown(client: Client, pair: Pair) -> None:
    fresh = client.refresh(pair["refresh_token"]).json()
    assert client.revoke(pair["refresh_token"]).status_code == 200
    client.advance(1801)
    assert client.revoke(fresh["access_token"]).status_code == 200
    assert client.stats()["pairs_revoked"] == 0
    assert client.refresh(fresh["refresh_token"]).status_code == 200


def test_no_grace_brings_a_revoked_pair_back(start: Start, partner: Row) -> None:
    client = start(refresh_grace=60)
    pair = client.swap(partner).json()
    fresh = client.refresh(pair["refresh_token"]).json()
    client.revoke(fresh["refresh_token"])
    assert dead(client, pair)


def test_within_the_grace_a_used_refresh_token_revokes(start: Start, partner: Row) -> None:
    client = start(refresh_grace=60)
    pair = client.swap(partner).json()
    fresh = client.refresh(pair["refresh_token"]).json()
    client.revoke(pair["refresh_token"])
    assert dead(client, fresh)


@pytest.mark.parametrize("authorization", ["Basic !", "Basic bm9ib2R5OnB3", "Bearer x", None])
def test_who_does_not_authenticate_revokes_nothing(
    client: Client, pair: Pair, authorization: str | None
) -> None:
    answer = client.session.post(
        f"{client.base_url}/connect/revocation",
        data={"token": pair["refresh_token"]},
        headers={"Authorization": authorization} if authorization else {},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert not dead(client, pair)


def test_credentials_in_the_body_serve_too(client: Client, pair: Pair) -> None:
    form = {name: client.known[name] for name in ("client_id", "client_secret")}
    answer = client.session.post(
        f"{client.base_url}/connect/revocation", data={**form, "token": pair["refresh_token"]}
    )
    assert answer.status_code == 200
    assert dead(client, pair)


@pytest.mark.parametrize("body", ["", "token=", "token_type_hint=refresh_token", "token=a&token=b"])
def test_without_one_token_it_is_an_invalid_request(client: Client, body: str) -> None:
    answer = client.session.post(
        f"{client.base_url}/connect/revocation",
        data=body,
        headers=FORM,
        auth=(client.known["client_id"], client.known["client_secret"]),
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_revocation_survives_a_restart(start: Start, partner: Row) -> None:
    client = start()
    pair = client.swap(partner).json()
    client.revoke(pair["refresh_token"])
    assert dead(start(), pair)
