"""Reads answers again that were not understood when they came: an older version took them for lost, nobody
could tell what they were, or what was taken for a pair was none. A pair in one of them has arrived, and must
not be given up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from migrator.ledger.open_ledger import OpenLedger
from migrator.ledger.sealed_answers import SealedAnswer
from migrator.models import Action, Standing
from migrator.providers import Profile, tokens_of
from migrator.rules.recovery import gives_up, goes_on, read_again, restored
from migrator.rules.verdict import Verdict


@dataclass(frozen=True)
class Found:
    """The connections that go on with what an earlier answer held."""

    pairs: tuple[int, ...]
    renewals: tuple[int, ...]
    """For which it was no pair, but a renewed legacy token."""


def reread_all(ledger: OpenLedger, profile: Profile, action: Action | None = None) -> Found:
    """Read again whatever may hold something of use, of one kind of call or of all."""
    pairs, renewals = list[int](), list[int]()
    for connection_id in ledger.not_understood(action):
        verdict = _understood(ledger, profile, connection_id, action)
        if verdict is not None:
            of_its_kind = renewals if verdict.new_pair is None else pairs
            of_its_kind.append(connection_id)
    return Found(tuple(pairs), tuple(renewals))


def reread(ledger: OpenLedger, profile: Profile, connection_id: int, action: Action | None = None) -> bool:
    """Read the answers of one connection again, the newest first, until one holds something.

    Whether one does: then the connection goes on with that. With ``action`` only those to such calls.
    """
    return _understood(ledger, profile, connection_id, action) is not None


def _understood(
    ledger: OpenLedger, profile: Profile, connection_id: int, action: Action | None
) -> Verdict | None:
    answers = ledger.sealed_answers(connection_id, action)
    verdict = _found(answers, profile, ledger.standing(connection_id))
    return verdict if verdict is not None and ledger.understood(connection_id, verdict) else None


def before_giving_up(
    ledger: OpenLedger, profile: Profile, standing: Standing, action: Action, verdict: Verdict
) -> Verdict:
    """What a finished call makes of its connection, once all has been looked through that it may go on with.

    That is decided before anything of the call is recorded: whoever is served by the connection's pair would
    be given up together with it.
    """
    if not gives_up(action, verdict):
        return verdict
    dying = standing.pair.id if standing.pair and verdict.pair_dead else None
    found = _found(ledger.answers_before_giving_up(standing.id, dying), profile, standing)
    if found is None or found.new_pair is None:  # a renewed token is of no use to those whom the pair serves
        before = ledger.set_aside_for(dying) if dying is not None else None
        if before is not None:
            return restored(verdict, before, standing.tries + 1)
    return goes_on(verdict, found, standing.tries + 1) if found is not None else verdict


def _found(answers: Iterable[SealedAnswer], profile: Profile, standing: Standing) -> Verdict | None:
    secrets = tokens_of(standing.legacy, standing.pair.pair if standing.pair is not None else None)
    for sealed in answers:
        outcome = profile.read(sealed.action, sealed.answer, secrets)
        verdict = read_again(standing, sealed.action, outcome)
        if verdict is not None:
            return replace(verdict, found_in=sealed.attempt_id)
    return None
