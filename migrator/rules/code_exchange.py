"""What the exchange of an authorisation code (RFC 6749, 4.1.3) makes of a connection. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from migrator.models import RESPONSE_LOST, UNVERIFIED, Action, Standing, State
from migrator.providers import (
    Disabled,
    Identified,
    Later,
    NoRefreshToken,
    Outcome,
    Over,
    Reached,
    Renewed,
    RenewFirst,
    Revoked,
    StopAll,
    Suspect,
    Unknown,
    Won,
)
from migrator.rules.verdict import Policy, Verdict


def exchanged(standing: Standing, outcome: Outcome, now: datetime, policy: Policy) -> Verdict:
    """What the exchange of an authorisation code makes of a connection that waits for its user.

    A code serves once, and only the user gets another: short of a pair, the connection needs consent as it
    did. A pair does not count before it is seen which tenants the user has chosen; whoever won it looks at
    once, so that for a while nobody else does.
    """
    stays = Verdict("unknown", "", State.NEEDS_CONSENT, standing.reason or RESPONSE_LOST)
    match outcome:
        case Won():
            settled = now + policy.settle
            return Verdict(
                "done",
                "",
                State.UNCERTAIN,
                UNVERIFIED,
                Action.EXCHANGE_CODE,
                settled,
                new_pair=outcome.pair,
                # Of several users of a tenant any may consent; an account has but one.
                user_id=outcome.pair.user_id if policy.terms.lists_tenants else "",
            )
        case Later():
            return replace(stays, outcome="later", problem=outcome.problem)
        case Over() | RenewFirst() | NoRefreshToken():
            kept = outcome.pair if isinstance(outcome, NoRefreshToken) else None
            over = replace(stays, outcome="over", problem=outcome.problem)
            return replace(over, new_pair=kept, new_pair_set_aside=kept is not None)
        case Suspect() | StopAll():
            return replace(stays, outcome="stop", problem=outcome.problem)
        case Unknown():
            return replace(stays, problem=outcome.problem, reason=RESPONSE_LOST)
        case Renewed() | Reached() | Revoked() | Identified() | Disabled():
            return replace(stays, problem="another_answer", reason=RESPONSE_LOST)
        case _:
            assert_never(outcome)
