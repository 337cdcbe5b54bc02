"""What the ledger says of a connection, held against what the witness says of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Held:
    """One connection as the ledger has it."""

    tenant_id: str
    state: str
    reason: str
    renewals: int
    """Legacy tokens that a renewal won and the ledger stored."""
    swaps: int
    """Pairs that a swap won and the ledger stored."""
    standing: str | None
    """The fingerprint of the pair that stands for it, if one does."""
    pairs: frozenset[str]
    """The fingerprints of all its pairs, dead and replaced ones too."""


def contradiction(held: Held, said: Mapping[str, Any]) -> str:
    """What the witness has to say against the ledger, or nothing.

    ``in_flight`` and ``uncertain`` say "sent, for all we know": that is never untrue.
    """
    match held.state:
        case "migrated" if held.standing not in said["refresh_tokens_sha256"]:
            return "its stored pair does not work"
        case "pending" | "failed":
            return _effect(held, said)
        case "needs_consent" if held.reason == "response_lost":
            return _nothing_lost(held, said)
        case "needs_consent" if held.reason == "token_expired":
            return ""  # whatever became of a lost call, nobody can ask with such a token
        case "needs_consent":
            return _effect(held, said)
    return ""


def _effect(held: Held, said: Mapping[str, Any]) -> str:
    """Why it is not so that no call took effect but those whose answers are stored."""
    if said["swaps"]:
        return "it was swapped"
    # The sandbox ends a token with its renewal: the newest that is stored works if all renewals are stored.
    return "its newest stored legacy token is dead" if said["renewals"] > held.renewals else ""


def _nothing_lost(held: Held, said: Mapping[str, Any]) -> str:
    """Why it is not so that an answer was lost, and a pair with it.

    The witness does not count refreshes by connection: a stored pair that died is the trace of a lost one.
    """
    if held.pairs & set(said["refresh_tokens_sha256"]):
        return "a stored pair works"
    lost = said["swaps"] > held.swaps or said["renewals"] > held.renewals or held.pairs
    return "" if lost else "no answer was lost"
