"""Legacy tokens out and in."""

from __future__ import annotations

import csv
import re
import shutil
import tracemalloc
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.sandbox import MixError, adopt_tokens, issue_tokens, stats
from migrator.sandbox.issuing import issue
from migrator.sandbox.issuing.shares import Shares, apportion, parse_mix
from migrator.sandbox.xero.app_types import APP_TYPES
from tests.sandbox.application import Row
from tests.sandbox.support import Client, problem, renewed

COLUMNS = [
    "connection_id",
    "app_type",
    "organisation",
    "tenant_id",
    "tenant_type",
    "contact_email",
    "oauth_token",
    "oauth_token_secret",
    "oauth_session_handle",
    "oauth_expires_at",
]


def ends(row: Row) -> datetime:
    """When the row's token ends."""
    return datetime.fromisoformat(row["oauth_expires_at"])


def test_rows_have_the_contracts_columns(state: Path) -> None:
    rows = list(issue_tokens(state, 300))
    assert all(list(row) == COLUMNS for row in rows)
    assert [row["connection_id"] for row in rows[:2]] == ["conn-000001", "conn-000002"]
    assert len({row["oauth_token"] for row in rows}) == len({row["tenant_id"] for row in rows}) == 300
    assert len({row["organisation"] for row in rows}) > 200
    for row in rows:
        assert str(uuid.UUID(row["tenant_id"])) == row["tenant_id"]
        assert re.fullmatch(r"[a-z0-9.]+@[a-z0-9-]+\.example", row["contact_email"])
        assert row["oauth_token_secret"]
        assert bool(row["oauth_session_handle"]) == (row["app_type"] == "partner")
        assert bool(row["oauth_expires_at"]) == (row["app_type"] != "private")


def test_the_mix_is_exact_and_shuffled(state: Path) -> None:
    rows = list(issue_tokens(state, 1000, "partner=80,public=15,private=5", seed=1))
    assert Counter(row["app_type"] for row in rows) == {"partner": 800, "public": 150, "private": 50}
    assert {row["app_type"] for row in rows[:100]} == {"partner", "public", "private"}
    assert stats(state, tokens=False)["issued"] == {"partner": 800, "public": 150, "private": 50}


def test_the_expired_share_is_exact(state: Path) -> None:
    rows = list(issue_tokens(state, 1000, expired=0.25, seed=1))
    now = datetime.now(UTC)
    over = [row for row in rows if row["oauth_expires_at"] and ends(row) < now]
    assert {row["app_type"] for row in over} == {"partner"}
    assert len(over) == 200
    for row in rows:
        if row["oauth_expires_at"] and row not in over:
            assert now < ends(row) < now + timedelta(minutes=31)


def test_tenants_and_users_are_as_various_as_in_life(state: Path) -> None:
    rows = list(issue_tokens(state, 3000, seed=2))
    practices = sum(row["tenant_type"] == "PRACTICE" for row in rows)
    assert 180 < practices < 320  # one in twelve
    owned = Counter(entry["user_id"] for entry in stats(state)["tokens"])
    several = sum(n > 1 for n in owned.values()) / len(owned)
    assert 0.07 < several < 0.13
    assert max(owned.values()) <= 5


@pytest.mark.parametrize(("each", "owned"), [(1, [1] * 10), (4, [4, 4, 2]), (20, [10])])
def test_users_have_as_many_organisations_as_ordered(state: Path, each: int, owned: list[int]) -> None:
    list(issue_tokens(state, 10, organisations_per_user=each))
    users = [entry["user_id"] for entry in stats(state)["tokens"]]
    assert list(Counter(users).values()) == owned
    assert users == sorted(users, key=users.index)  # one user's come in a row


def test_a_user_without_an_organisation_is_none(state: Path) -> None:
    with pytest.raises(MixError, match="0 organisations"):
        next(issue_tokens(state, 1, organisations_per_user=0))


def test_one_user_has_one_address_and_nobody_else_has_it(state: Path) -> None:
    rows = list(issue_tokens(state, 60, organisations_per_user=3, seed=4))
    rows += issue_tokens(state, 60, organisations_per_user=3, seed=4)  # the same names again
    addresses = {entry["tenant_id"]: entry["user_id"] for entry in stats(state)["tokens"]}
    owners = {(addresses[row["tenant_id"]], row["contact_email"]) for row in rows}
    assert len(owners) == len({user for user, _ in owners}) == len({email for _, email in owners}) == 40
    assert {f"{row['contact_email'].replace('@', '.2@')}" for row in rows[:60]} == {
        row["contact_email"] for row in rows[60:]
    }


def test_the_seed_fixes_names_and_order_but_never_tokens(state: Path, furnished: Path) -> None:
    other = state.with_name("other.db")
    shutil.copy(furnished, other)
    first, second = (list(issue_tokens(path, 50, seed=9)) for path in (state, other))
    for name in ("app_type", "organisation", "contact_email", "tenant_type"):
        assert [row[name] for row in first] == [row[name] for row in second]
    for name in ("tenant_id", "oauth_token", "oauth_token_secret"):
        assert not {row[name] for row in first} & {row[name] for row in second}


def test_many_tokens_need_no_more_memory_than_some(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issue, "BATCH", 200)

    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in issue_tokens(state, count):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(2_000) < 1.5 * peak(600)


@pytest.mark.parametrize(
    "mix",
    [
        "",
        "partner",
        "partner=x",
        "partner=-1",
        "partner=0",
        "other=1",
        "partner=1,partner=2",
        "partner=inf",
        "partner=nan",
    ],
)
def test_a_mix_that_cannot_be_understood(mix: str) -> None:
    with pytest.raises(MixError):
        parse_mix(mix, APP_TYPES)


@pytest.mark.parametrize(("count", "expired"), [(0, 0.1), (-1, 0.1), (1, -0.1), (1, 1.1), (1, float("nan"))])
def test_what_cannot_be_issued(state: Path, count: int, expired: float) -> None:
    with pytest.raises(MixError):
        next(issue_tokens(state, count, expired=expired))


@given(st.integers(0, 10**6), st.lists(st.integers(0, 1000), min_size=1, max_size=5).filter(any))
def test_apportioned_parts_sum_up_and_stay_near_their_quota(count: int, weights: list[int]) -> None:
    parts = apportion(count, dict(enumerate(weights)))
    assert sum(parts.values()) == count
    for name, weight in enumerate(weights):
        assert abs(parts[name] - count * weight / sum(weights)) < 1


def test_the_largest_remainder_gets_the_rest() -> None:
    assert apportion(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert apportion(7, {"a": 80, "b": 15, "c": 5}) == {"a": 6, "b": 1, "c": 0}


@given(st.dictionaries(st.integers(), st.integers(0, 20), max_size=4), st.randoms(use_true_random=False))
def test_exactly_as_many_are_drawn_as_there_are(counts: dict[int, int], random: Random) -> None:
    shares = Shares(counts, random)
    drawn = Counter(shares.draw() for _ in range(sum(counts.values())))
    assert drawn == Counter(counts)
    with pytest.raises(IndexError):
        shares.draw()


def row(**changes: str) -> dict[str, str]:
    """A row of an input file with a valid partner's token."""
    return {
        "connection_id": "c1",
        "app_type": "partner",
        "organisation": "Kauri & Sons",
        "tenant_id": str(uuid.uuid4()),
        "tenant_type": "ORGANISATION",
        "contact_email": f"{uuid.uuid4()}@example.com",
        "oauth_token": str(uuid.uuid4()),
        "oauth_token_secret": "s",
        "oauth_session_handle": "h",
        "oauth_expires_at": "",
        **changes,
    }


def test_adopted_tokens_work(client: Client, state: Path) -> None:
    over = row(oauth_expires_at="2020-01-01T00:00:00Z")
    valid = row()
    assert adopt_tokens(state, [over, valid]) == 2
    assert client.swap(valid).status_code == 200
    assert client.swap(over).json() == {"errors": ["The access token has expired"]}
    assert client.swap(renewed(over, client.renew(over))).status_code == 200


@pytest.mark.parametrize(
    ("app_type", "expires_at", "status"),
    [
        ("partner", "", 200),
        ("partner", "1000000000", 401),
        ("partner", "2020-01-01 00:00", 401),
        ("partner", "9999-01-01", 200),
        ("PARTNER", "4102444800", 200),
        ("partner", "2999-01-01T00:00:00+13:00", 200),
    ],
)
def test_adopted_expiry_is_honoured(
    client: Client, state: Path, app_type: str, expires_at: str, status: int
) -> None:
    adopted = row(app_type=app_type, oauth_expires_at=expires_at)
    assert adopt_tokens(state, [adopted]) == 1
    assert client.swap(adopted).status_code == status


def test_a_private_token_never_ends(client: Client, state: Path) -> None:
    private = row(app_type="private", oauth_expires_at="2020-01-01")
    adopt_tokens(state, [private])
    assert problem(client.swap(private)) == "permission_denied"


@pytest.mark.parametrize(
    "flaw",
    [
        {"oauth_token": ""},
        {"oauth_token": "  "},
        {"app_type": "other"},
        {"tenant_type": "HOUSE"},
        {"oauth_expires_at": "soon"},
        {"oauth_expires_at": "1e999"},
    ],
)
def test_rows_that_cannot_be_adopted_are_passed_over(state: Path, flaw: dict[str, str]) -> None:
    assert adopt_tokens(state, [row(**flaw), row()]) == 1
    assert stats(state)["issued"]["partner"] == 1


def test_short_rows_and_known_tokens_are_passed_over(state: Path) -> None:
    whole = row()
    short = next(csv.DictReader(["app_type,oauth_token,oauth_token_secret", "partner,t"]))
    assert adopt_tokens(state, [whole, whole, short]) == 2
    assert adopt_tokens(state, [whole]) == 0


def test_one_address_is_one_user_and_no_address_is_nobody(state: Path) -> None:
    addresses = ("owner@example.com", "Owner@Example.com", "", "")
    adopt_tokens(state, [row(contact_email=address) for address in addresses])
    users = [entry["user_id"] for entry in stats(state)["tokens"]]
    assert users[0] == users[1]
    assert len(set(users)) == 3


def test_two_tokens_of_one_tenant_open_one_connection(client: Client, state: Path) -> None:
    first, second = row(tenant_id="t"), row(tenant_id="t")
    assert adopt_tokens(state, [first, second, row(tenant_id="t", app_type="public")]) == 3
    assert client.swap(first).status_code == client.swap(second).status_code == 200
    assert [(entry["app_type"], entry["swaps"]) for entry in client.stats()["tokens"]] == [
        ("partner", 2),
        ("public", 0),
    ]
