"""What one finished call makes of its connection: the ledger's next entry, and how patient a job is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from migrator.models import (
    NO_REFRESH_TOKEN,
    RESPONSE_LOST,
    UNVERIFIED,
    Action,
    LegacyToken,
    Standing,
    State,
    Tenant,
    TokenPair,
)
from migrator.rules.terms import Terms

ANY_TERMS = Terms()
"""Those of a provider of which nothing is known."""


@dataclass(frozen=True)
class Policy:
    """How patient the job is."""

    max_attempts: int
    settle: timedelta
    """How long after an unknown call nothing is asked: longer than any time-out, ours or the provider's."""
    patience: timedelta = timedelta(minutes=2)
    """How long nothing but trouble may come before the job stops."""
    believe_refusals: bool = False
    """Whether refused tokens are believed at once, however many there are."""
    terms: Terms = ANY_TERMS
    """What the provider does to tokens."""


@dataclass(frozen=True)
class Verdict:
    """What one finished call makes of its connection; written in one transaction with whatever it won."""

    outcome: str
    """The attempt's ``outcome``: ``done``, ``renew_first``, ``later``, ``over``, ``stop`` or ``unknown``."""
    problem: str
    """What the provider or the network said, as a short stable word; empty where all went well."""
    state: State
    reason: str
    doubt: Action | None = None
    not_before: datetime | None = None
    tries: int = 0
    new_pair: TokenPair | None = None
    new_pair_set_aside: bool = False
    """The new pair is kept, and does not count."""
    new_legacy: LegacyToken | None = None
    found_in: int | None = None
    """The earlier attempt whose answer, read again, held what is new; None if this call's own did."""
    pair_restored: int | None = None
    """A pair that had been set aside for the one that is dead now, and stands in its place again."""
    pair_verified: bool = False
    """The stored pair has just been seen to work."""
    reached: tuple[str, ...] = ()
    """The tenants that it was seen to reach, by id."""
    adopted: Tenant | None = None
    """The tenant of a connection that had none to its name."""
    pair_set_aside: bool = False
    """The stored pair works, and stands for nothing that was asked for: it is kept, and does not count."""
    pair_dead: bool = False
    """The stored pair has just been seen not to work."""
    pair_expired: bool = False
    """The stored pair's access token is refused; its refresh token may still work."""
    token_expired: bool = False
    """The provider says that the legacy token has expired, whatever its row said."""
    user_id: str = ""
    """Whose the connection is, where this call has shown it."""
    disabled: bool = False
    """The legacy token is known to have ended, after the swap."""
    seen: tuple[Tenant, ...] = ()
    """All tenants that the pair of a new consent reaches: others may have waited for them."""
    chosen: tuple[Tenant, ...] = ()
    """Those of them that this consent connected."""

    @property
    def ends_pair(self) -> bool:
        """Whether no pair stands for the connection any more that did."""
        succeeded = self.new_pair is not None or self.pair_restored is not None
        return self.pair_set_aside or (self.pair_dead and not succeeded)


def doubt_left(action: Action, before: Action | None) -> Action:
    """What is in doubt once nobody knows what came of a call, where another was in doubt before it.

    A renewal that got lost goes on explaining why the token is refused, however often it is swapped since.
    """
    return Action.RENEW if before is Action.RENEW and action is Action.SWAP else action


def unchanged(standing: Standing, outcome: str, problem: str = "") -> Verdict:
    """The connection stands where it stood before the call."""
    if standing.state is State.MIGRATED:
        state, reason = State.MIGRATED, standing.reason
    elif standing.doubt is None:
        state, reason = State.PENDING, ""
    else:
        state, reason = State.UNCERTAIN, standing.reason
        if reason not in (UNVERIFIED, RESPONSE_LOST, NO_REFRESH_TOKEN):
            reason = UNVERIFIED if standing.pair else RESPONSE_LOST
    return Verdict(outcome, problem, state, reason, doubt=standing.doubt)
