"""Which pair stands for which connection: pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.handover.pair_per_user import each_its_own, one_a_user
from migrator.ledger.exports import Exportable

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def one(number: int, *, verified: int | None = None, reached: str = "", user: str = "u") -> Exportable:
    """Connection ``number`` opens the tenant of that number; hours say when its pair was seen to work."""
    return Exportable(
        connection_id=number,
        tenant_id=f"T{number}",
        user_id=user,
        pair_id=100 + number,
        obtained_at=NOON + timedelta(minutes=number),
        verified_at=NOON + timedelta(hours=verified) if verified is not None else None,
        reached=frozenset(reached.split()),
    )


def chosen(*connections: Exportable) -> dict[int, int]:
    return {connection.connection_id: pair - 100 for connection, pair in one_a_user(connections)}


@pytest.mark.parametrize(
    ("connections", "expected"),
    [
        ([one(1)], {1: 1}),
        ([one(1), one(2), one(3)], {1: 3, 2: 3, 3: 3}),
        ([one(1, user=""), one(2, user="")], {1: 1, 2: 2}),
        ([one(1, user="a"), one(2, user="b")], {1: 1, 2: 2}),
        ([one(1, verified=1, reached="t1 t2"), one(2)], {1: 1, 2: 1}),
        ([one(1, verified=1, reached="t1"), one(2)], {1: 1, 2: 2}),
        ([one(1, verified=2, reached="t1 t2"), one(2, verified=1, reached="t1 t2")], {1: 1, 2: 1}),
        ([one(1, verified=2, reached="t1"), one(2, verified=1, reached="t2")], {1: 1, 2: 2}),
        ([one(1, verified=2, reached="t1 t2"), replace(one(2), tenant_id="")], {1: 1, 2: 2}),
        ([one(1, verified=2, reached="t1 t2"), replace(one(2), tenant_id="t2")], {1: 1, 2: 1}),
        # It was asked before the other connection came to be.
        ([one(1, verified=0, reached="t1"), one(2)], {1: 1, 2: 1}),
    ],
    ids=range(11),
)
def test_the_pair_that_knows_most_stands_for_what_it_reaches(
    connections: list[Exportable], expected: dict[int, int]
) -> None:
    assert chosen(*connections) == expected


@st.composite
def hands(draw: st.DrawFn) -> list[Exportable]:
    """Connections of a few users, those of one user together."""
    users = draw(st.lists(st.sampled_from(["", "a", "b", "c"]), unique=True))
    found = list[Exportable]()
    for user in sorted(users):
        for _ in range(draw(st.integers(1, 4))):
            number = len(found) + 1
            reached = draw(st.sets(st.integers(1, 12)))
            hour = draw(st.none() | st.integers(0, 3))
            connection = one(number, verified=hour, reached=" ".join(f"t{n}" for n in reached), user=user)
            connection = replace(connection, reached=connection.reached if hour is not None else frozenset())
            found.append(draw(st.sampled_from([connection, replace(connection, tenant_id="")])))
    return found


@given(hands())
def test_nobody_is_lost_and_nobody_gets_a_strangers_pair(connections: list[Exportable]) -> None:
    result = list(one_a_user(connections))
    assert [connection for connection, _ in result] == connections
    of_pair = {connection.pair_id: connection for connection in connections}
    for connection, pair_id in result:
        stands = of_pair[pair_id]
        assert stands.user_id == connection.user_id
        if stands is not connection:
            assert connection.user_id
            assert connection.tenant_id
            knows_better = stands.verified_at is not None and connection.obtained_at <= stands.verified_at
            assert not knows_better or connection.tenant_id.lower() in stands.reached
    assert list(each_its_own(connections)) == [(one_, one_.pair_id) for one_ in connections]


@given(hands())
def test_a_user_has_one_pair_more_than_what_it_does_not_reach(connections: list[Exportable]) -> None:
    result = list(one_a_user(connections))
    for user in {connection.user_id for connection in connections} - {""}:
        shared = {
            pair_id
            for connection, pair_id in result
            if connection.user_id == user and pair_id != connection.pair_id
        }
        assert len(shared) <= 1
