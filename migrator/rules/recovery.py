"""What becomes of a call whose process died, and of an answer that was not understood when it came. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from migrator.models import RESPONSE_LOST, UNVERIFIED, Action, Standing, State
from migrator.providers import Outcome, Renewed, Won
from migrator.rules.transitions import with_handle
from migrator.rules.verdict import Policy, Verdict, doubt_left

READ_AGAIN = "read_again"
"""A problem of an attempt: its answer was not understood when it came, and was later."""


def died(
    action: Action, tries: int, started_at: datetime, policy: Policy, before: Action | None = None
) -> Verdict:
    """The entry for a call with an effect that was under way when its process died: sent, for all we know.

    ``before`` is the call that was in doubt when it was made.

    A code serves once, and some legacy tokens do: what they won is gone, and the user goes on.
    """
    gone = action is Action.SWAP and not policy.terms.asks_again
    if gone or action is Action.EXCHANGE_CODE:
        return Verdict("unknown", "process_died", State.NEEDS_CONSENT, RESPONSE_LOST)
    return Verdict(
        "unknown",
        "process_died",
        State.UNCERTAIN,
        RESPONSE_LOST,
        doubt_left(action, before),
        started_at + policy.settle,
        tries=tries,
    )


def read_again(standing: Standing, action: Action, outcome: Outcome) -> Verdict | None:
    """The entry for an answer that was not understood when it came, and is now; None if that is of no use.

    Calls that came after it may have made it worthless, so a pair is seen to work before it counts.
    """
    doubt = standing.doubt or action
    match outcome:
        case Won():
            return Verdict(
                "done",
                READ_AGAIN,
                State.UNCERTAIN,
                UNVERIFIED,
                doubt,
                standing.not_before,
                new_pair=outcome.pair,
            )
        case Renewed():
            renewed = with_handle(outcome.legacy, standing.legacy)
            return Verdict(
                "done",
                READ_AGAIN,
                State.UNCERTAIN,
                RESPONSE_LOST,
                Action.RENEW,
                standing.not_before,
                new_legacy=renewed,
            )
        case _:
            return None


def gives_up(action: Action, verdict: Verdict) -> bool:
    """Whether a call shows that a pair is lost: its connection's, or the one that a call before it won.

    What an operator revokes is meant to be.
    """
    lost = verdict.pair_dead or verdict.state in (State.NEEDS_CONSENT, State.FAILED)
    # One that works is not lost, whatever it is for; nor is one that this very call has brought.
    there_is_one = verdict.pair_verified or verdict.new_pair is not None
    return lost and not there_is_one and action is not Action.REVOKE


def goes_on(verdict: Verdict, found: Verdict, tries: int) -> Verdict:
    """The entry for a call that would have given a connection up, and for what an earlier answer holds.

    ``tries`` counts the call: whatever answers hold, a connection is not asked for on and on.
    """
    return replace(
        found,
        outcome=verdict.outcome,
        problem=verdict.problem,
        pair_dead=verdict.pair_dead,
        not_before=None,
        tries=tries,
    )


def restored(verdict: Verdict, pair_id: int, tries: int) -> Verdict:
    """The same where the dead pair was never seen to work and had taken the place of another one.

    It stood in an answer that broke off: its provider may have taken back what it was about to say.
    """
    return Verdict(
        verdict.outcome,
        verdict.problem,
        State.UNCERTAIN,
        RESPONSE_LOST,
        Action.REFRESH,
        tries=tries,
        pair_dead=True,
        pair_restored=pair_id,
    )
