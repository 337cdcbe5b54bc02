"""Which pair stands for which connection. Pure.

A pair belongs to a user and sees all tenants that the user has connected, so that several organisations of
one user can do with one of them (protocol: *The migration endpoint*), where nothing speaks against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from migrator.ledger.exports import Exportable


def each_its_own(connections: Iterable[Exportable]) -> Iterator[tuple[Exportable, int]]:
    """Every connection is stood for by its own pair."""
    return ((connection, connection.pair_id) for connection in connections)


def one_a_user(connections: Iterable[Exportable]) -> Iterator[tuple[Exportable, int]]:
    """One pair stands for all connections of a user that it can be expected to reach.

    Those of one user must come together. Connections whose user nobody knows keep their own pairs.
    """
    for user_id, group in groupby(connections, key=lambda connection: connection.user_id):
        if user_id:
            yield from _of_one_user(list(group))
        else:
            yield from each_its_own(group)


def _of_one_user(group: list[Exportable]) -> Iterator[tuple[Exportable, int]]:
    # The pair that was seen to work last knows most; of those that nobody asked, the newest lives longest.
    chosen = max(group, key=lambda one: (one.verified_at is not None, one.verified_at or one.obtained_at))
    for connection in group:
        yield connection, chosen.pair_id if _reaches(chosen, connection) else connection.pair_id


def _reaches(chosen: Exportable, connection: Exportable) -> bool:
    if connection.pair_id == chosen.pair_id:
        return True
    if not connection.tenant_id or connection.misses_tenant:
        return False
    if chosen.verified_at is None or connection.tenant_id.lower() in chosen.reached:
        return True
    # It was asked before this connection was swapped: it could not have seen it then.
    return connection.obtained_at > chosen.verified_at
