"""Where those stand that are served by another connection's pair. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.models import LIFETIME_ASSUMED, RESPONSE_LOST, SCOPE_MISSING, Action, State
from migrator.rules.tenants import TENANT_MISMATCH, TENANT_TYPE_MISMATCH
from migrator.rules.verdict import Verdict

SERVED = (State.MIGRATED, State.UNCERTAIN, State.IN_FLIGHT)
"""Where a connection may stand that is served by another one's pair."""


@dataclass(frozen=True)
class Served:
    """What a call about the pair makes of one that it serves."""

    state: State
    reason: str
    doubt: Action | None = None
    served: bool = True
    """Whether the pair serves it still."""


def followed(verdict: Verdict, tenant_id: str, reason: str) -> Served:
    """Where one stands after a call for the pair's owner; ``tenant_id`` and ``reason`` are its own.

    Where the pair has ended, it needs consent as if it had had a pair of its own.
    """
    if verdict.state not in SERVED or verdict.ends_pair:
        ended = verdict.reason if verdict.state is State.NEEDS_CONSENT else RESPONSE_LOST
        return Served(State.NEEDS_CONSENT, ended, served=False)
    return Served(verdict.state, _reason(verdict, tenant_id, reason), verdict.doubt)


def _reason(verdict: Verdict, tenant_id: str, before: str) -> str:
    """What is to be said of a connection whose pair is another's: which tenant it should reach is its own."""
    if verdict.state is not State.MIGRATED:
        return verdict.reason
    if verdict.pair_verified:
        if tenant_id.lower() not in {reached.lower() for reached in verdict.reached}:
            return TENANT_MISMATCH
        kept = before if before == TENANT_TYPE_MISMATCH else ""
    else:
        kept = before if before in (TENANT_MISMATCH, TENANT_TYPE_MISMATCH) else ""
    return kept or (verdict.reason if verdict.reason in (LIFETIME_ASSUMED, SCOPE_MISSING) else "")
