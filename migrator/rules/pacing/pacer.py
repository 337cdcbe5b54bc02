"""When the next call may leave, under all limits of a provider together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, Protocol

from migrator.models import Action
from migrator.providers.facts import Limit
from migrator.rules.pacing.calendar import CalendarPace
from migrator.rules.pacing.moment import Moment
from migrator.rules.pacing.patience import LOOK_AGAIN
from migrator.rules.pacing.sliding import SlidingPace


class Wait(NamedTuple):
    """How long a call must wait, and what for."""

    seconds: float
    """0 or less if it may go."""
    limit: Limit | None
    """The limit that must have calls left again; None if it is something else."""


class Pace(Protocol):
    """One limit with a window."""

    def wait(self, now: Moment) -> float:
        """How many seconds the next call must wait; 0 or less if it may go."""

    def take(self, now: Moment) -> None:
        """A call leaves."""

    def end(self, now: Moment) -> None:
        """A call that left is over."""

    def seed(self, at: Moment, number: int) -> None:
        """So many calls left in the second that begins then; earlier ones come first."""

    def slow_down(self, now: Moment) -> None:
        """The provider says that the limit is reached."""

    def note_remaining(self, remaining: int, under_way: int, now: Moment) -> None:
        """The provider says how many calls are left; ``under_way`` of ours may not have arrived yet."""


@dataclass
class _Counted:
    """One limit, for all of its subject's calls."""

    limit: Limit
    at_once: int
    """0 where it is not limited."""
    pace: Pace | None
    under_way: int = 0
    paused: float = -math.inf
    """Until when none of its calls goes (monotonic)."""


class Pacer:
    """Says when the next call may leave, and is told of each that does, and of what answers say.

    A call counts in each limit of its kind, of the application, its consumer key or this machine's address.
    Limits of one tenant are not paced, as few connections share one: who is over such a limit is told so, and
    that connection waits.
    """

    def __init__(
        self, limits: Sequence[Limit], *, rate_per_minute: int | None = None, leave: float | None = None
    ) -> None:
        """``rate_per_minute`` is the most that is wanted, if anything is; ``leave`` is left of each limit
        that the application's ordinary traffic shares, in the place of what the limit says.
        """
        self._limits = list(limits)  # whose numbers are theirs in the profile, too
        self._wanted: Limit | None = None
        if rate_per_minute is not None:
            self._wanted = Limit(rate_per_minute, timedelta(minutes=1))
            self._limits.append(self._wanted)
        self._leave = leave
        self._counted: dict[tuple[int, str], _Counted] = {}
        self._of_calls: dict[tuple[Action, str], list[_Counted]] = {}
        self._paused = -math.inf
        self._is_told = False
        for number, limit in enumerate(self._limits):
            if limit.subject != "key":
                self._at(number, "")

    @property
    def looks_back(self) -> timedelta:
        """How far back calls count."""
        return max((limit.window for limit in self._limits), default=timedelta(0))

    def wait(self, action: Action, consumer_key: str, now: Moment) -> Wait:
        """How long a call must wait."""
        monotonic = now.monotonic
        seconds, limit = self._paused - monotonic, None
        for counted in self._of(action, consumer_key):
            if counted.at_once and counted.under_way >= counted.at_once:
                if seconds < LOOK_AGAIN:
                    seconds, limit = LOOK_AGAIN, None
            elif counted.pace and (wait := counted.pace.wait(now)) > seconds:
                seconds, limit = wait, counted.limit
            if counted.paused - monotonic > seconds:
                seconds, limit = counted.paused - monotonic, None
        return Wait(seconds, limit)

    def take(self, action: Action, consumer_key: str, now: Moment) -> None:
        """A call leaves now; it must be followed by ``end``."""
        for counted in self._of(action, consumer_key):
            counted.under_way += 1
            if counted.pace:
                counted.pace.take(now)

    def end(self, action: Action, consumer_key: str, now: Moment) -> None:
        """A call is over: its answer is here, or it is not waited for any longer."""
        for counted in self._of(action, consumer_key):
            counted.under_way -= 1
            if counted.pace:
                counted.pace.end(now)

    def seed(self, action: Action, consumer_key: str, at: Moment, number: int) -> None:
        """So many calls left in the second that begins then, before this pacer was there.

        Earlier ones first.
        """
        for counted in self._of(action, consumer_key):
            if counted.pace:
                counted.pace.seed(at, number)

    def pause(self, until: float, limit: str = "") -> None:
        """Nobody goes before ``until`` (monotonic): no call that counts in the limit of this name; without
        one that we know, no call at all.
        """
        named = self._named(limit)
        for counted in named:
            counted.paused = max(counted.paused, until)
        if not named:
            self._paused = max(self._paused, until)

    def slow_down(self, now: Moment, limit: str = "") -> None:
        """The provider says that the limit of this name is reached; without one that we know, any may be.

        Where answers tell what is left of a limit, the provider's are known by that, and what is wanted at
        the most is none of them.
        """
        for counted in self._named(limit) or self._counted.values():
            if counted.pace and not (self._is_told and counted.limit is self._wanted):
                counted.pace.slow_down(now)

    def note_remaining(self, remaining: Mapping[int, int], consumer_key: str, now: Moment) -> None:
        """An answer to a call with this key says how many calls are left: limit's number in the profile to
        calls.
        """
        for number, left in remaining.items():
            counted = self._at(number, consumer_key)
            if counted and counted.pace:
                self._is_told = True
                counted.pace.note_remaining(left, counted.under_way, now)

    def _named(self, name: str) -> list[_Counted]:
        return [each for each in self._counted.values() if name and each.limit.name == name]

    def _of(self, action: Action, consumer_key: str) -> list[_Counted]:
        """The limits that a call counts in."""
        found = self._of_calls.get((action, consumer_key))
        if found is None:
            numbers = [
                number
                for number, limit in enumerate(self._limits)
                if not limit.calls or action in limit.calls
            ]
            counted = [self._at(number, consumer_key) for number in numbers]
            found = self._of_calls[action, consumer_key] = [each for each in counted if each]
        return found

    def _at(self, number: int, consumer_key: str) -> _Counted | None:
        limit = self._limits[number]
        if limit.subject == "tenant":
            return None
        place = number, consumer_key if limit.subject == "key" else ""
        if place not in self._counted:
            self._counted[place] = self._new(limit)
        return self._counted[place]

    def _new(self, limit: Limit) -> _Counted:
        leave = share_to_leave(limit, self._leave)
        at_once = max(1, math.floor(limit.at_once * (1 - leave))) if limit.at_once else 0
        pace: Pace | None = None
        if limit.count:
            pace = CalendarPace(limit, leave) if limit.calendar else SlidingPace(limit, leave)
        return _Counted(limit, at_once, pace)


def share_to_leave(limit: Limit, leave: float | None) -> float:
    """The share of a limit that is not ours, from 0 to below 1; ``leave`` is what the operator says."""
    if not limit.shared:
        return 0.0
    return limit.leave if leave is None else leave
