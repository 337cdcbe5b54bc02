"""The one door through which all workers' calls leave: pace and caution, made safe for threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from migrator.models import Action
from migrator.providers import (
    RATE_LIMITED,
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
from migrator.rules.pacing import LONGEST_PAUSE, Breaker, Pace, Pause, Trip, unsaid_wait
from migrator.wire.running_time import RunningClock

_POLL = 0.02
_MOST_PUT_OFF = 5
"""Connections that are put off for hours, one after the other, with nothing good between."""


class Gate:
    """Lets calls out one by one, and listens to what came of them."""

    def __init__(
        self,
        pace: Pace,
        breaker: Breaker,
        monotonic: Callable[[], float] = time.monotonic,
        running: RunningClock | None = None,
    ) -> None:
        """``monotonic`` counts what the provider counts too: its limit, and the pauses that it asks for.

        ``running`` counts how long trouble was borne; while this process was stopped, nothing was.
        """
        self._pace = pace
        self._breaker = breaker
        self._monotonic = monotonic
        self._running = running or monotonic
        self._turnstiles = (threading.Lock(), threading.Lock())  # for others, and for who goes first
        self._lock = threading.Lock()
        self._under_way = 0
        self._limited = 0
        self._limited_since = 0.0
        self._put_off = 0
        self._hurried = 0

    def admit(self, stop: threading.Event, *, first: bool = False) -> bool:
        """Wait until a call may leave; False if the job stops meanwhile.

        ``first`` lets the call go before others while the gate is cautious: a connection that was begun is
        carried on, so that what would stop everybody shows itself before many have begun. Every True must be
        followed by ``leave``.
        """
        with self._lock:
            self._hurried += first
        try:
            return self._admit(stop, first=first)
        finally:
            with self._lock:
                self._hurried -= first

    def _admit(self, stop: threading.Event, *, first: bool) -> bool:
        with self._turnstiles[first]:
            while True:
                with self._lock:
                    # Looked at under the lock: whoever stops the job does so before it leaves, so that a
                    # call which waited for it to leave knows.
                    if stop.is_set():
                        return False
                    wait = self._wait(first=first)
                    if wait <= 0:
                        self._pace.take(self._monotonic())
                        self._under_way += 1
                        return True
                stop.wait(min(wait, 0.5))

    def leave(self) -> None:
        """The call is over."""
        with self._lock:
            self._under_way -= 1

    def listen(self, action: Action, outcome: Outcome) -> Trip | None:
        """Learn from an outcome; returns why the job must stop, if it must.

        A refusal of the token itself is listened to by ``refused``.
        """
        if isinstance(outcome, NoRefreshToken) and action is Action.REFRESH:
            outcome = Won(outcome.pair)  # the old one stays in force
        with self._lock:
            match outcome:
                case Won() | Renewed() | Reached() | Revoked():
                    self._breaker.good(action, proves=action is not Action.RENEW)
                    self._limited = self._put_off = 0
                case RenewFirst():
                    self._breaker.accepted()
                    self._limited = self._put_off = 0
                case StopAll():
                    return Trip(outcome.problem)
                case Suspect() | NoRefreshToken():
                    plain = isinstance(outcome, NoRefreshToken)
                    return self._breaker.suspect(action, outcome.problem, plain=plain)
                case Unknown(hint=hint) if hint:  # somebody else's answer, whoever is asked for
                    trip = self._breaker.suspect(action, outcome.problem, plain=True)
                    return trip or self._trouble(outcome.problem)
                case Later() if outcome.scope == "app" or outcome.problem == RATE_LIMITED:
                    everybody = outcome.scope == "app"
                    return self._limit_reached(outcome) if everybody else self._one_limit_reached(outcome)
                case Later() | Unknown():
                    return self._trouble(outcome.problem)
                case _:
                    pass
        return None

    def heard(self, remaining: int) -> None:
        """The provider says how many calls the application has left in this minute."""
        with self._lock:
            self._pace.heard(remaining, self._monotonic())

    def in_trouble(self) -> bool:
        """Whether bad answers are the rule at present: then none is a single connection's failure."""
        with self._lock:
            return self._breaker.in_trouble

    def refused(self, action: Action, outcome: Over) -> Trip | None:
        """Another connection's token was refused, without any call of its having been lost.

        Returns why the job must stop, if it must.
        """
        with self._lock:
            # A refused grant shows that the client was accepted (RFC 6749, 5.2): others may fare better.
            patient = action is Action.REFRESH
            return self._breaker.refused(action, outcome.problem, patient=patient)

    def _limit_reached(self, outcome: Later) -> Trip | None:
        now = self._monotonic()
        if self._limited == 0:
            self._limited_since = self._running()
        self._limited += 1
        wait = outcome.after.total_seconds() if outcome.after else unsaid_wait(self._limited)
        if self._running() - self._limited_since + wait > LONGEST_PAUSE:
            return Trip(outcome.problem, outcome.after.total_seconds() if outcome.after else None)
        self._pace.pause(now + wait)
        self._pace.refused(now)
        return None

    def _one_limit_reached(self, outcome: Later) -> Trip | None:
        """One connection was called for too often, which says nothing of the others; but where each is put
        off for hours, it is everybody's limit, whatever it is called.
        """
        wait = outcome.after.total_seconds() if outcome.after else 0.0
        if wait <= LONGEST_PAUSE:
            return None
        self._put_off += 1
        return Trip(outcome.problem, wait) if self._put_off >= _MOST_PUT_OFF else None

    def _trouble(self, problem: str) -> Trip | None:
        reaction = self._breaker.bad(problem, self._running())
        if isinstance(reaction, Pause):
            self._pace.pause(self._monotonic() + reaction.seconds)
            return None
        return reaction

    def _wait(self, *, first: bool) -> float:
        if self._breaker.cautious and (self._under_way or (self._hurried and not first)):
            return _POLL
        return self._pace.wait(self._monotonic())
