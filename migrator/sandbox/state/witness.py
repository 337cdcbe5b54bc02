"""The witness: what was issued, to whom, how often, and what still works. Never a token in the clear.

A pair that was won by a swap is told of where its legacy connection is; one that was won by a consent, where
the tenants are that the consent was about, and at all others that its user has connected: it reaches them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrator.sandbox.state.pairs import ACCESS_WORKS, PAIR_WORKS, REFRESH_WORKS, End, sha256

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.state_file import State

READS_BILLED = "reads_billed"
"""The counter of calls that a provider charges for."""
WITHOUT_TYPE = "token"
"""What a legacy token is counted as where there are no application types."""


@dataclass(frozen=True)
class Witness:
    """What was done to a provider, as its state tells it."""

    state: State
    clock: Clock
    provider: str
    """Its name."""
    app_types: tuple[str, ...] = ()
    """Of the applications there; none: it has no such thing."""

    def collect(self, *, tokens: bool = True) -> dict[str, Any]:
        """The totals, and with ``tokens`` a list of one entry a legacy connection, in order of issue.

        Tokens are there by their hash: legacy ones that work, and all that ever were, to tell entries apart.

        After them comes one, without ``app_type``, for each tenant that has no legacy connection and was
        connected by a consent. Where the provider has no application types, none has one.
        """
        now = self.clock.now()
        with self.state.reading() as db:
            facts = {"provider": self.provider, **_totals(db, self.app_types, now)}
            if tokens:
                facts["tokens"] = _connections(db, now)
        return facts


def _totals(db: sqlite3.Connection, app_types: tuple[str, ...], now: float) -> dict[str, Any]:
    issued = dict.fromkeys(app_types or (WITHOUT_TYPE,), 0)
    issued |= {
        row["app_type"] or WITHOUT_TYPE: row["n"]
        for row in db.execute("SELECT app_type, count(*) AS n FROM connections GROUP BY app_type")
    }
    calls = db.execute(
        "SELECT coalesce(sum(swaps), 0) AS swaps, coalesce(sum(swaps > 1), 0) AS twice,"
        " coalesce(sum(renewals), 0) AS renewals FROM connections"
    ).fetchone()
    tenants = db.execute(
        "SELECT count(DISTINCT CASE WHEN oauth2_id IS NOT NULL THEN tenant_id END) AS connected,"
        " coalesce(sum(disconnections), 0) AS disconnections FROM organisations"
    ).fetchone()
    # A pair works if its refresh token would be taken now.
    pairs = db.execute(
        "SELECT count(*) AS n, coalesce(sum(id <> grant_id), 0) AS refreshed,"  # noqa: S608 - constants
        f" count(DISTINCT CASE ended WHEN '{End.REVOKED}' THEN grant_id END) AS revoked,"
        " coalesce(sum(id = grant_id AND connection_id IS NULL), 0) AS consented,"
        f" coalesce(sum({PAIR_WORKS}), 0) AS working FROM pairs",
        {"now": now},
    ).fetchone()
    counters = {row["name"]: row["n"] for row in db.execute("SELECT name, n FROM counters ORDER BY name")}
    return {
        "issued": issued,
        "swaps_issued": calls["swaps"],
        "swapped_twice": calls["twice"],
        "renewals": calls["renewals"],
        "authorisations": counters.get("authorisations", 0),
        "consents": pairs["consented"],
        "refreshes_issued": pairs["refreshed"],
        "pairs_working": pairs["working"],
        "pairs_dead": pairs["n"] - pairs["working"],
        "pairs_revoked": pairs["revoked"],
        "tenants_connected": tenants["connected"],
        "disconnections": tenants["disconnections"],
        "reads_billed": counters.get(READS_BILLED, 0),
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
    by_connection: defaultdict[int, _Pairs] = defaultdict(_Pairs)
    by_tenant = _Consents(db)
    rows = db.execute(
        f"SELECT *, {REFRESH_WORKS} AS refresh_works, {ACCESS_WORKS} AS access_works"  # noqa: S608 - constants
        f", {PAIR_WORKS} AS works FROM pairs ORDER BY id",
        {"now": now},
    )
    for row in rows:
        if row["connection_id"] is None:
            by_tenant.add(row)
        else:
            by_connection[row["connection_id"]].add(row)
    known, live = defaultdict(list), defaultdict(list)
    rows = db.execute(
        "SELECT connection_id, token, alive AND (expires_at IS NULL OR expires_at > ?) AS works"
        " FROM oauth1_tokens ORDER BY token",
        (now,),
    )
    for row in rows:
        known[row["connection_id"]].append(sha256(row["token"]))
        if row["works"]:
            live[row["connection_id"]].append(sha256(row["token"]))
    return [
        {
            "tenant_id": row["tenant_id"],
            "app_type": row["app_type"] or None,
            "user_id": row["user_id"],
            "oauth_tokens_sha256": live[row["id"]],
            "oauth_tokens_ever_sha256": known[row["id"]],
            "renewals": row["renewals"],
            "swaps": row["swaps"],
            "consents": row["consents"],
            **by_connection[row["id"]].joined(by_tenant.pairs[row["tenant_id"].lower()]).described(),
            "connected": bool(row["connected"]),
            "disconnections": row["disconnections"],
        }
        for row in db.execute(f"{_LEGACY} UNION ALL {_OTHERS} ORDER BY is_other, number")
    ]


_OF_TENANT = """
    (SELECT count(*) FROM consents s WHERE s.tenant_id = c.tenant_id) AS consents,
    (SELECT count(oauth2_id) FROM organisations o WHERE o.tenant_id = c.tenant_id) AS connected,
    (SELECT sum(disconnections) FROM organisations o WHERE o.tenant_id = c.tenant_id) AS disconnections
"""
_LEGACY = f"""
    SELECT 0 AS is_other, id AS number, id, tenant_id, app_type, user_id, renewals, swaps, {_OF_TENANT}
    FROM connections c
"""  # noqa: S608 - constants
_OTHERS = f"""
    SELECT 1 AS is_other, min(id) AS number, NULL AS id, tenant_id, NULL AS app_type, user_id, 0 AS renewals,
    0 AS swaps, {_OF_TENANT}
    FROM organisations c
    WHERE NOT EXISTS (SELECT 1 FROM connections k WHERE k.tenant_id = c.tenant_id)
    AND (oauth2_id IS NOT NULL OR EXISTS (SELECT 1 FROM consents s WHERE s.tenant_id = c.tenant_id))
    GROUP BY tenant_id
"""  # noqa: S608 - constants


class _Consents:
    """The pairs that consents won, by the lower-case id of each tenant that they concern."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.pairs: defaultdict[str, _Pairs] = defaultdict(_Pairs)
        self._of_grant = defaultdict(set)
        for row in db.execute("SELECT grant_id, lower(tenant_id) AS tenant_id FROM consents"):
            self._of_grant[row["grant_id"]].add(row["tenant_id"])
        self._of_user = defaultdict(set)
        rows = db.execute(
            "SELECT user_id, lower(tenant_id) AS tenant_id FROM organisations WHERE oauth2_id IS NOT NULL"
        )
        for row in rows:
            self._of_user[row["user_id"]].add(row["tenant_id"])

    def add(self, row: sqlite3.Row) -> None:
        for tenant_id in self._of_grant[row["grant_id"]] | self._of_user[row["user_id"]]:
            self.pairs[tenant_id].add(row)


@dataclass
class _Pairs:
    """What became of the pairs that one connection's swaps won, or consents about one tenant."""

    refreshes: int = 0
    working: int = 0
    revoked: set[int] = field(default_factory=set)
    """Grants; what was won from one swap is one pair, however often it was refreshed."""
    refresh_tokens: list[str] = field(default_factory=list)
    """Hashes of those that work, oldest first; so are ``access_tokens``."""
    access_tokens: list[str] = field(default_factory=list)

    def add(self, row: sqlite3.Row) -> None:
        self.refreshes += row["id"] != row["grant_id"]
        self.working += row["works"]
        if row["ended"] == End.REVOKED:
            self.revoked.add(row["grant_id"])
        if row["refresh_works"]:
            self.refresh_tokens.append(sha256(row["refresh_token"]))
        if row["access_works"] and row["access_sha256"] is not None:
            self.access_tokens.append(row["access_sha256"])

    def joined(self, other: _Pairs) -> _Pairs:
        """Both together, the other's after these."""
        return _Pairs(
            self.refreshes + other.refreshes,
            self.working + other.working,
            self.revoked | other.revoked,
            self.refresh_tokens + other.refresh_tokens,
            self.access_tokens + other.access_tokens,
        )

    def described(self) -> dict[str, Any]:
        return {
            "refreshes": self.refreshes,
            "pairs_working": self.working,
            "pairs_revoked": len(self.revoked),
            "refresh_tokens_sha256": self.refresh_tokens,
            "access_tokens_sha256": self.access_tokens,
        }
