"""``POST /oauth/migrate``: what a swap answers, what it refuses, and what a second one does."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest

from migrator.sandbox import adopt_tokens, issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.conftest import Start
from tests.sandbox.support import SCOPE, Client, in_threads, problem


def of_type(state: Path, tenant_type: str) -> Row:
    """A partner's token for such a tenant."""
    return next(
        row for row in issue_tokens(state, 200, "partner=1", expired=0) if row["tenant_type"] == tenant_type
    )


def test_answers_a_pair(client: Client, partner: Row) -> None:
    answer = client.swap(partner)
    pair = answer.json()
    assert answer.status_code == 200
    assert pair.keys() == {"access_token", "refresh_token", "expires_in", "token_type", "xero_tenant_id"}
    assert pair["expires_in"] == "1800"
    assert pair["token_type"] == "Bearer"
    assert pair["xero_tenant_id"] == partner["tenant_id"]
    assert client.refresh(pair["refresh_token"]).status_code == 200
    assert [c["tenantId"] for c in client.connections(pair["access_token"]).json()] == [partner["tenant_id"]]


def test_the_access_token_is_a_long_jwt_with_the_providers_claims(client: Client, partner: Row) -> None:
    token = client.swap(partner, {"scope": "offline_access"}).json()["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert len(token) >= 1000
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    assert claims.keys() == {
        "iss",
        "aud",
        "client_id",
        "sub",
        "nbf",
        "exp",
        "auth_time",
        "xero_userid",
        "global_session_id",
        "jti",
        "authentication_event_id",
        "scope",
    }
    assert claims["exp"] - claims["nbf"] == 1800
    assert claims["scope"] == ["offline_access"]
    assert claims["client_id"] == client.known["client_id"]
    assert claims["xero_userid"] == client.stats()["tokens"][0]["user_id"]


def test_an_expired_token_gets_a_json_body(client: Client, expired: Row) -> None:
    answer = client.swap(expired)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == {"errors": ["The access token has expired"]}


@pytest.mark.parametrize("tenant_type", ["ORGANISATION", "PRACTICE"])
def test_the_tenant_type_must_be_the_tokens_own(client: Client, state: Path, tenant_type: str) -> None:
    row = of_type(state, tenant_type)
    wrong = {"ORGANISATION": "PRACTICE", "PRACTICE": "ORGANISATION"}[tenant_type]
    refused = client.swap(row, path=f"/oauth/migrate?tenantType={wrong}")
    assert refused.status_code == 400
    assert tenant_type in refused.json()["errors"][0]
    assert client.swap(row, path=f"/oauth/migrate?tenantType={tenant_type}").status_code == 200


def test_the_tenant_type_may_stand_in_a_header(client: Client, state: Path) -> None:
    practice = of_type(state, "PRACTICE")
    assert client.swap(practice, path="/oauth/migrate", headers={"tenantType": "PRACTICE"}).status_code == 200


def test_without_a_tenant_type_an_organisation_is_assumed(client: Client, state: Path) -> None:
    assert client.swap(of_type(state, "ORGANISATION"), path="/oauth/migrate").status_code == 200
    assert client.swap(of_type(state, "PRACTICE"), path="/oauth/migrate").status_code == 400


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "wrong"}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_secret": None}, "invalid_client"),
        ({"client_secret": "\ud800"}, "invalid_client"),
        ({"scope": "accounting.transactions"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": ["offline_access"]}, "invalid_scope"),
        ({"scope": "offline_access \ud800"}, "invalid_scope"),
        ({"scope": "xoffline_access"}, "invalid_scope"),
    ],
)
def test_what_is_wrong_with_the_body(
    client: Client, partner: Row, change: dict[str, object], error: str
) -> None:
    answer = client.swap(partner, change)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert client.stats()["swaps_issued"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object(client: Client, partner: Row, body: bytes) -> None:
    path = f"/oauth/migrate?tenantType={partner['tenant_type']}"
    uri, headers, _ = client.signer(partner).sign(client.base_url + path, "POST")
    answer = client.session.post(uri, data=body, headers={**headers, "Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_body_of_another_type(client: Client, partner: Row) -> None:
    path = f"/oauth/migrate?tenantType={partner['tenant_type']}"
    assert client.send(partner, "POST", path, form={"scope": SCOPE}).status_code == 415


@pytest.mark.parametrize("size", [3_670_016, 3_670_017, 8_000_000])
def test_a_body_over_three_and_a_half_megabytes_is_refused(client: Client, partner: Row, size: int) -> None:
    plain = len('{"scope": "", "client_id": "", "client_secret": "", "x": ""}') + len(SCOPE)
    plain += len(client.known["client_id"]) + len(client.known["client_secret"])
    answer = client.swap(partner, {"x": "x" * (size - plain)})
    assert answer.request.headers["Content-Length"] == str(size)
    assert answer.status_code == (200 if size == 3_670_016 else 413)


def test_a_user_with_several_tenants_sees_all_that_were_swapped(client: Client, state: Path) -> None:
    rows = list(issue_tokens(state, 4, "partner=1", expired=0))
    shared = [
        {**row, "contact_email": "owner@several.example", "oauth_token": f"t{n}", "tenant_id": f"tenant-{n}"}
        for n, row in enumerate(rows)
    ]
    assert adopt_tokens(state, shared) == 4
    tokens = [client.swap(row).json()["access_token"] for row in shared[:3]]
    for token in tokens:
        seen = [connection["tenantId"] for connection in client.connections(token).json()]
        assert seen == ["tenant-0", "tenant-1", "tenant-2"]
    other = client.swap(rows[0]).json()["access_token"]
    assert [c["tenantId"] for c in client.connections(other).json()] == [rows[0]["tenant_id"]]


def swap_twice(client: Client, row: Row) -> tuple[dict[str, str], dict[str, str]]:
    """The pairs of two swaps of one token."""
    first, second = client.swap(row), client.swap(row)
    assert (first.status_code, second.status_code) == (200, 200)
    return first.json(), second.json()


@pytest.mark.parametrize("faults", [(), ("repeat=newest-wins",)])
def test_by_default_the_newest_pair_wins(start: Start, partner: Row, faults: tuple[str, ...]) -> None:
    client = start(*faults)
    first, second = swap_twice(client, partner)
    assert client.connections(first["access_token"]).status_code == 401
    assert client.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.connections(second["access_token"]).status_code == 200
    stats = client.stats()
    assert (stats["swaps_issued"], stats["swapped_twice"]) == (2, 1)
    assert (stats["pairs_working"], stats["pairs_dead"]) == (1, 1)
    assert client.refresh(second["refresh_token"]).status_code == 200


def test_the_newest_pair_ends_a_pair_that_was_refreshed_meanwhile(client: Client, partner: Row) -> None:
    refreshed = client.refresh(client.swap(partner).json()["refresh_token"]).json()
    client.swap(partner)
    assert client.refresh(refreshed["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.connections(refreshed["access_token"]).status_code == 401


def test_repeat_keep_leaves_both_pairs_alive(start: Start, partner: Row) -> None:
    client = start("repeat=keep")
    pairs = swap_twice(client, partner)
    assert client.stats()["pairs_working"] == 2
    for pair in pairs:
        assert client.connections(pair["access_token"]).status_code == 200
        assert client.refresh(pair["refresh_token"]).status_code == 200


def test_repeat_never_kills_the_legacy_token_with_its_first_swap(start: Start, partner: Row) -> None:
    client = start("repeat=never")
    pair = client.swap(partner).json()
    assert problem(client.swap(partner)) == "token_rejected"
    assert problem(client.renew(partner)) == "token_rejected"
    assert client.refresh(pair["refresh_token"]).status_code == 200
    assert client.stats()["swaps_issued"] == 1


def test_swaps_at_the_same_time_leave_one_working_pair(client: Client, partner: Row) -> None:
    statuses: list[int] = []
    in_threads(*[lambda: statuses.append(client.swap(partner).status_code)] * 8)
    assert statuses == [200] * 8
    (entry,) = client.stats()["tokens"]
    assert (entry["swaps"], entry["pairs_working"]) == (8, 1)


def test_where_it_is_ordered_a_connection_is_swapped_once(start: Start, partner: Row) -> None:
    client = start("repeat=once")
    pair = client.swap(partner).json()
    refused = client.swap(partner)
    assert (refused.status_code, refused.json()) == (
        400,
        {"errors": ["The connection has been migrated already"]},
    )
    assert client.connections(pair["access_token"]).status_code == 200
    assert client.renew(partner).status_code == 200
