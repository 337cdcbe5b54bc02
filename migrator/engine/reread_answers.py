"""Reads answers again that were not understood when they came: an older version took them for lost, nobody
could tell what they were, or what was taken for a pair was none. A pair in one of them has arrived, and must
not be given up.
"""

from __future__ import annotations

from migrator.ledger import Ledger
from migrator.providers import Profile
from migrator.rules.recovery import read_again


def reread_all(ledger: Ledger, profile: Profile) -> int:
    """Read again whatever may hold a pair for a connection that has none; returns how many do."""
    return sum(reread(ledger, profile, connection_id) for connection_id in ledger.not_understood())


def reread(ledger: Ledger, profile: Profile, connection_id: int) -> bool:
    """Read the answers of one connection again, the newest first, until one holds something.

    Whether one does: then the connection goes on with that.
    """
    standing = ledger.standing(connection_id)
    for sealed in ledger.sealed_answers(connection_id):
        outcome = profile.read(sealed.action, sealed.answer)
        verdict = read_again(standing, sealed.action, outcome, worked_once=sealed.gave_a_pair_once)
        if verdict is not None:
            return ledger.understood(connection_id, sealed, verdict)
    return False
