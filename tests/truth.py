"""What the ledger says of a connection, held against what the witness says of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOT_LOST = "no answer was lost"


@dataclass(frozen=True)
class Held:
    """One connection as the ledger has it."""

    key: str
    tenant_id: str
    """Empty where the provider has no tenants."""
    state: str
    reason: str
    renewals: int
    """Legacy tokens that a renewal won and the ledger stored."""
    swaps: int
    """Pairs that a swap won and the ledger stored."""
    standing: str | None
    """The fingerprint of the pair that stands for it, if one does: of its refresh token, or, where it has
    none, of its access token."""
    pairs: frozenset[str]
    """The fingerprints of all its pairs, dead and replaced ones too."""
    tokens: frozenset[str] = frozenset()
    """The fingerprints of its legacy tokens."""
    unanswered: int = 0
    """Swaps that were sent, and nobody knows what came of them."""


def contradiction(held: Held, said: Mapping[str, Any], *, asked_once: bool = False) -> str:
    """What the witness has to say against the ledger, or nothing.

    ``in_flight`` and ``uncertain`` say "sent, for all we know": that is never untrue. ``asked_once``: the
    provider must not be asked twice, so that one call without an answer is lost for all that one may know.
    """
    match held.state:
        case "migrated" if held.standing not in _working(said):
            return "its stored pair does not work"
        case "pending" | "failed":
            return _effect(held, said)
        case "needs_consent":
            found = _no_need(held, said)
            return "" if asked_once and held.unanswered == 1 and found == NOT_LOST else found
    return ""


def _no_need(held: Held, said: Mapping[str, Any]) -> str:
    """Why it is not so that the user must consent, for the reason that is given."""
    match held.reason:
        case "response_lost":
            return _nothing_lost(held, said)
        case "revoked_by_operator":
            return "a stored pair works" if held.pairs & _working(said) else ""
        case "already_exchanged":  # by others, who have the pair
            return "" if said["swaps"] > held.swaps else "nobody exchanged it"
        case "token_expired":
            return ""  # whatever became of a lost call, nobody can ask with such a token
    return _effect(held, said)


def _effect(held: Held, said: Mapping[str, Any]) -> str:
    """Why it is not so that no call took effect but those whose answers are stored, and are dead."""
    if held.pairs & _working(said):
        return "it was swapped, and its pair works"
    if said["swaps"] > held.swaps:
        return "it was swapped"
    # The sandbox ends a token with its renewal: the newest that is stored works if all renewals are stored.
    return "its newest stored legacy token is dead" if said["renewals"] > held.renewals else ""


def _nothing_lost(held: Held, said: Mapping[str, Any]) -> str:
    """Why it is not so that an answer was lost, and a pair with it.

    The witness does not count refreshes by connection: a stored pair that died is the trace of a lost one.
    """
    if held.pairs & _working(said):
        return "a stored pair works"
    lost = said["swaps"] > held.swaps or said["renewals"] > held.renewals or held.pairs
    return "" if lost else NOT_LOST


def _working(said: Mapping[str, Any]) -> set[str]:
    """The fingerprints of what works; tokens are random, so that kinds cannot be mixed up."""
    return {*said["refresh_tokens_sha256"], *said["access_tokens_sha256"]}
