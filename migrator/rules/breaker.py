"""The circuit breaker: tells the fault of one connection from the fault that hits all. Pure.

It is a frozen value; each answer makes a new one of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from migrator.models import Action
from migrator.providers import (
    RATE_LIMITED,
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
from migrator.providers.network_faults import LASTING
from migrator.rules.pacing import LONGEST_PAUSE, unsaid_wait

SUSPECTS = 5
"""Suspect answers in a row to one kind of call that stop a job in which none has gone well yet."""
SUSPECTS_ONCE_PROVEN = 10
"""And one in which some have: secrets can be changed, and doors closed, in the middle of a night."""
REFUSALS_ONCE_PROVEN = 50
"""Connections refused in a row: users do end their grants; hardly fifty in a row."""
TROUBLE = 5
"""That many bad answers in a row make a confident job cautious."""
LONGEST_TROUBLE_PAUSE = 15.0
"""Seconds that everybody waits after a bad answer, at most."""
MOST_PUT_OFF = 5
"""Connections that are put off for hours, one after the other, with nothing good between."""


@dataclass(frozen=True)
class Pause:
    """Everybody waits for some seconds."""

    seconds: float
    limit_reached: bool = False
    """Whether it is the provider's limit that was reached: then everybody goes on slower, too."""
    limit: str = ""
    """What the answer calls that limit; empty if it does not say. Then only its calls wait, if we know it."""


@dataclass(frozen=True)
class Trip:
    """The job must stop."""

    problem: str
    wait: float | None = None
    """Seconds for which the provider lets nobody go on; None where it did not say."""


Reaction = Pause | Trip | None


@dataclass(frozen=True)
class Breaker:
    """What a job knows of its calls so far.

    A job that has not yet seen a good answer, or has seen only bad ones for a while, is cautious: it sends
    one call at a time and waits longer after each bad one. A renewal proves nothing yet, nor does asking
    whose a token is: the call that they prepare may be refused to everybody.
    """

    accepted: bool = False
    """Whether the provider has shown that it knows the application."""
    went_well: Mapping[Action, datetime] = field(default_factory=dict)
    """When a kind of call last went well (UTC); it is proven then."""
    suspects: Mapping[Action, int] = field(default_factory=dict)
    """Suspect answers to a kind of call since one went well."""
    refusals: Mapping[Action, int] = field(default_factory=dict)
    """Connections whose token was refused since such a call went well, or, where the answer might be given to
    everybody, answers."""
    bad: int = 0
    """Bad answers in a row, of any kind."""
    bad_since: float = 0.0
    """When the first of them came, in seconds of running time."""
    told_until: float = 0.0
    """Until when the provider has said, since then, that it is down: who waits as told loses no patience."""
    told_to_wait: float = 0.0
    """For how many seconds in all."""
    limited: int = 0
    """How often in a row the application's limit was reached."""
    limited_since: float = 0.0
    """When it was reached first, in seconds of running time."""
    put_off: int = 0
    """Connections in a row that were put off for hours."""

    @property
    def cautious(self) -> bool:
        """Whether calls shall go out one at a time."""
        return not self.accepted or self.in_trouble

    @property
    def in_trouble(self) -> bool:
        """Whether bad answers are the rule: then none of them is a single connection's failure."""
        return self.bad >= TROUBLE or (self.bad > 0 and not self.accepted)

    def went_well_since(self, action: Action, moment: datetime) -> bool:
        """Whether a call of this kind, of whatever connection, has gone well after ``moment``."""
        last = self.went_well.get(action)
        return last is not None and last > moment

    def lone_suspect(self, action: Action) -> bool:
        """Whether one answer alone has been suspect since a call of this kind went well."""
        return action in self.went_well and self.suspects.get(action) == 1

    def after(
        self, action: Action, outcome: Outcome, now: datetime, running: float, patience: float
    ) -> tuple[Breaker, Reaction]:
        """What an answer teaches, and what becomes of the job.

        ``running`` is the running time in seconds: while this process was stopped, no trouble was borne.
        ``patience`` is how many seconds nothing but trouble may come. What refuses the token itself is for
        ``refused``.
        """
        match outcome:
            case Won() | Renewed() | Reached() | Revoked() | Identified() | Disabled():
                prepares = action in (Action.RENEW, Action.IDENTIFY)
                return self._good(action, now, proves=not prepares), None
            case NoRefreshToken() if action is Action.REFRESH:  # the old one stays in force
                return self._good(action, now), None
            case RenewFirst():  # the provider knows the application, whatever it says of the connection
                return replace(self, accepted=True, bad=0, limited=0, put_off=0), None
            case StopAll() | Suspect() | NoRefreshToken():
                return self._blamed(action, outcome)
            case Later() | Unknown():
                return self._fruitless(action, outcome, running, patience)
            case Over():
                return self, None
        assert_never(outcome)

    def refused(self, action: Action, outcome: Over) -> tuple[Breaker, Reaction]:
        """A token was refused: its user's doing, or all are another application's."""
        refusals = self.refusals.get(action, 0) + 1
        # A refused grant shows that the client was accepted (RFC 6749, 5.2): others may fare better.
        client_accepted = action is Action.REFRESH and not outcome.by_status_alone
        patient = client_accepted or action in self.went_well
        most = REFUSALS_ONCE_PROVEN if patient else SUSPECTS
        counted = replace(self, refusals={**self.refusals, action: refusals})
        return counted, Trip(outcome.problem) if refusals >= most else None

    def troubled(
        self, problem: str, running: float, patience: float, said: float = 0.0
    ) -> tuple[Breaker, Reaction]:
        """No answer, or one that says that the provider is in trouble, and for how many seconds if it
        ``said``; 0 if it did not.

        What no waiting mends stops a job at once that has not seen anything go well; another is patient with
        it too.
        """
        if problem in LASTING and not self.accepted:
            return self, Trip(problem)
        told = self._worse(running, said)
        # What is too long to be waited for here costs patience like any trouble.
        believed = told.told_to_wait <= LONGEST_PAUSE
        after = told if believed else self._worse(running, 0.0)
        if not after.cautious:  # one connection may have met it alone, and waits alone
            return after, None
        patient = running - after.bad_since - after.told_to_wait < patience
        if after.bad >= TROUBLE and not (believed and patient):
            return after, Trip(problem, said or None)
        pause = min(LONGEST_TROUBLE_PAUSE, 0.25 * 2 ** min(after.bad, 10))
        return after, Pause(max(pause, said) if believed else pause)

    def _worse(self, running: float, said: float) -> Breaker:
        """With another bad answer, and with what it said of how long the provider is down.

        Answers that came together say it once; the first in a row begins all counts anew.
        """
        told_until, told_to_wait = (self.told_until, self.told_to_wait) if self.bad else (running, 0.0)
        until = max(told_until, running + said)
        return replace(
            self,
            bad=self.bad + 1,
            bad_since=self.bad_since if self.bad else running,
            told_until=until,
            told_to_wait=told_to_wait + until - max(told_until, running),
        )

    def _good(self, action: Action, now: datetime, *, proves: bool = True) -> Breaker:
        return replace(
            self,
            accepted=self.accepted or proves,
            went_well={**self.went_well, action: now},
            suspects={**self.suspects, action: 0},
            refusals={**self.refusals, action: 0},
            bad=0,
            limited=0,
            put_off=0,
        )

    def _blamed(
        self, action: Action, outcome: StopAll | Suspect | NoRefreshToken
    ) -> tuple[Breaker, Reaction]:
        if isinstance(outcome, StopAll):
            return self, Trip(outcome.problem)
        return self._suspect(action, outcome.problem, plain=isinstance(outcome, NoRefreshToken))

    def _fruitless(
        self, action: Action, outcome: Later | Unknown, running: float, patience: float
    ) -> tuple[Breaker, Reaction]:
        if isinstance(outcome, Unknown) and outcome.hint:  # somebody else's answer, whoever is asked for
            suspecting, trip = self._suspect(action, outcome.problem, plain=True)
            return (suspecting, trip) if trip else suspecting.troubled(outcome.problem, running, patience)
        if isinstance(outcome, Later) and outcome.problem == RATE_LIMITED:
            of_all = outcome.scope == "app"
            return self._limit_reached(outcome, running) if of_all else self._one_limit_reached(outcome)
        said = outcome.after if isinstance(outcome, Later) else None
        return self.troubled(outcome.problem, running, patience, said.total_seconds() if said else 0.0)

    def _suspect(self, action: Action, problem: str, *, plain: bool = False) -> tuple[Breaker, Reaction]:
        """An answer that blames either one connection or the application.

        ``plain`` says that it is hardly one connection's fault: one is enough while nothing is proven.
        """
        suspects = self.suspects.get(action, 0) + 1
        unproven = 1 if plain else SUSPECTS
        most = SUSPECTS_ONCE_PROVEN if action in self.went_well else unproven
        counted = replace(self, suspects={**self.suspects, action: suspects})
        return counted, Trip(problem) if suspects >= most else None

    def _limit_reached(self, outcome: Later, running: float) -> tuple[Breaker, Reaction]:
        since = self.limited_since if self.limited else running
        reached = replace(self, limited=self.limited + 1, limited_since=since)
        said = outcome.after.total_seconds() if outcome.after else None
        wait = unsaid_wait(reached.limited) if said is None else said
        if running - since + wait > LONGEST_PAUSE:
            return reached, Trip(outcome.problem, said)
        return reached, Pause(wait, limit_reached=True, limit=outcome.limit)

    def _one_limit_reached(self, outcome: Later) -> tuple[Breaker, Reaction]:
        """One connection was called for too often, which says nothing of the others; but where each is put
        off for hours, it is everybody's limit, whatever it is called.
        """
        wait = outcome.after.total_seconds() if outcome.after else 0.0
        if wait <= LONGEST_PAUSE:
            return self, None
        put_off = replace(self, put_off=self.put_off + 1)
        return put_off, Trip(outcome.problem, wait) if put_off.put_off >= MOST_PUT_OFF else None
