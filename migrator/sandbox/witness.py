"""The witness: what was issued, to whom, how often, and what still works. Never a token in the clear."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.state import State


def collect(state: State, now: float, *, tokens: bool = True) -> dict[str, Any]:
    """The totals, and with ``tokens`` a list of one entry a legacy connection, in order of issue."""
    with state.reading() as db:
        facts = _totals(db, now)
        if tokens:
            facts["tokens"] = _connections(db, now)
    return facts


def _totals(db: sqlite3.Connection, now: float) -> dict[str, Any]:
    issued = {"partner": 0, "public": 0, "private": 0}
    issued |= {
        row["app_type"]: row["n"]
        for row in db.execute("SELECT app_type, count(*) AS n FROM connections GROUP BY app_type")
    }
    calls = db.execute(
        "SELECT coalesce(sum(swaps), 0) AS swaps, coalesce(sum(swaps > 1), 0) AS twice,"
        " coalesce(sum(renewals), 0) AS renewals FROM connections"
    ).fetchone()
    # A pair works if its refresh token would be taken at /connect/token now.
    pairs = db.execute(
        "SELECT count(*) AS n, coalesce(sum(refresh_alive AND refresh_expires_at > ?), 0) AS working"
        " FROM pairs",
        (now,),
    ).fetchone()
    counters = {row["name"]: row["n"] for row in db.execute("SELECT name, n FROM counters ORDER BY name")}
    return {
        "provider": "xero",
        "issued": issued,
        "swaps_issued": calls["swaps"],
        "swapped_twice": calls["twice"],
        "renewals": calls["renewals"],
        "refreshes": pairs["n"] - calls["swaps"],
        "pairs_working": pairs["working"],
        "pairs_dead": pairs["n"] - pairs["working"],
        "requests": _with_prefix(counters, "status "),
        "requests_refused_429": counters.get("requests_refused_429", 0),
        "max_concurrent": counters.get("max_concurrent", 0),
        "nonce_reuse": counters.get("nonce_reuse", 0),
        "clock_advanced_seconds": db.execute("SELECT advanced FROM clock").fetchone()[0],
        "faults": _with_prefix(counters, "fault "),
    }


def _with_prefix(counters: dict[str, int], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): n for name, n in counters.items() if name.startswith(prefix)}


def _connections(db: sqlite3.Connection, now: float) -> list[dict[str, Any]]:
    working = defaultdict(list)
    for row in db.execute(
        "SELECT connection_id, refresh_token FROM pairs"
        " WHERE refresh_alive AND refresh_expires_at > ? ORDER BY id",
        (now,),
    ):
        working[row["connection_id"]].append(hashlib.sha256(row["refresh_token"].encode()).hexdigest())
    return [
        {
            "tenant_id": row["tenant_id"],
            "app_type": row["app_type"],
            "user_id": row["user_id"],
            "renewals": row["renewals"],
            "swaps": row["swaps"],
            "pairs_working": len(working[row["id"]]),
            "refresh_tokens_sha256": working[row["id"]],
        }
        for row in db.execute("SELECT * FROM connections ORDER BY id")
    ]
