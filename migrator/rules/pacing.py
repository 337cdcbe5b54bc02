"""When the next call may go out: rate, back-off, caution.

Pure: the clock and the dice are passed in; times are monotonic seconds.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from random import Random

from migrator.providers.faults import LASTING

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
LONGEST_PAUSE = 900.0
"""Seconds that a job waits with nothing else to do; for longer pauses it ends, to be resumed."""


def backoff(tries: int, dice: Random) -> float:
    """Seconds to wait after that many fruitless calls: exponential with full jitter, so that many who failed
    together do not come back together."""
    return dice.uniform(0, min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(tries, 16)))


def unsaid_wait(times: int) -> float:
    """Seconds that everybody waits where a provider says that its limit is reached, and not for how long.

    ``times`` is how often it said so since the last good answer.
    """
    return min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(times - 1, 16))


class Pace:
    """Says when the next call may leave: evenly, never above the rate, not before a pause is over.

    The provider counts arrivals in a window of its own, so the pace aims a little below the rate; lateness is
    made up for, but only a little. Where the provider says how many calls are left, and others use the same
    limit, the pace makes do with what they leave.
    """

    MARGIN = 0.01
    """Share of the rate that is left unused."""
    CATCH_UP = 0.25
    """Seconds by which a call may leave late without its place being lost; the margin makes up for them."""
    LEAST_SHARE = 0.02
    """However many calls others make, so much of the limit is tried."""
    SLOWER = 0.75
    """What is left of the rate when the provider says that its limit was reached, in spite of all care."""
    FASTER = 1.1
    """What is tried again after each minute in which it did not."""

    def __init__(self, rate_per_minute: int, limit_per_minute: int | None = None) -> None:
        """``rate_per_minute`` is the most that is wanted, ``limit_per_minute`` what the provider allows."""
        self._limit = float(limit_per_minute or rate_per_minute)
        self._wanted = min(float(rate_per_minute), self._limit)
        self._rate = self._wanted
        self._next = 0.0
        self._changed = 0.0
        self._sent: deque[tuple[int, int]] = deque()  # second, and calls that left in it; of the last minute

    @property
    def rate_per_minute(self) -> float:
        """The rate in force."""
        return self._rate

    def wait(self, now: float) -> float:
        """How many seconds the next call must wait; 0 or less if it may go."""
        return self._next - now

    def take(self, now: float) -> None:
        """A call goes out now."""
        if self._rate < self._wanted and now - self._changed > 60:  # noqa: PLR2004 - a minute
            self._rate, self._changed = min(self._wanted, self._rate * self.FASTER), now
        interval = 60.0 / (self._rate * (1 - self.MARGIN))
        on_time = now - self._next <= self.CATCH_UP
        self._next = (self._next if on_time else now) + interval
        second = int(now)
        if self._sent and self._sent[-1][0] == second:
            self._sent[-1] = (second, self._sent[-1][1] + 1)
        else:
            self._sent.append((second, 1))

    def pause(self, until: float) -> None:
        """Nobody goes before ``until``."""
        self._next = max(self._next, until)

    def refused(self, now: float) -> None:
        """The provider says that the limit is reached: others use it too, and nobody says how much."""
        self._rate, self._changed = max(self._rate * self.SLOWER, self._limit * self.LEAST_SHARE), now

    def heard(self, remaining: int, now: float) -> None:
        """The provider says how many calls are left in this minute: what is missing, others have used."""
        others = max(0.0, self._limit - remaining - self._in_last_minute(now))
        self._rate = min(self._wanted, max(self._limit - others, self._limit * self.LEAST_SHARE))
        self._changed = now

    def _in_last_minute(self, now: float) -> int:
        while self._sent and self._sent[0][0] < now - 60:
            self._sent.popleft()
        return sum(number for _, number in self._sent)


@dataclass(frozen=True)
class Pause:
    """Everybody waits for some seconds."""

    seconds: float


@dataclass(frozen=True)
class Trip:
    """The job must stop."""

    problem: str
    wait: float | None = None
    """Seconds for which the provider lets nobody go on; None where it did not say."""


class Breaker:
    """Tells the fault of one connection from the fault that hits all.

    A job that has not yet seen a good answer, or has seen only bad ones for a while, is cautious: it sends
    one call at a time and waits longer after each bad one. A renewal proves nothing yet: the call that it
    prepares may be refused to everybody. The job stops after ``SUSPECTS`` suspect answers in a row to one
    kind of call (``SUSPECTS_ONCE_PROVEN`` once one went well), or as many connections refused in a row
    (``REFUSALS_ONCE_PROVEN``), or when nothing good has come for ``patience`` seconds.
    """

    SUSPECTS = 5
    SUSPECTS_ONCE_PROVEN = 10
    """Secrets can be changed, and doors closed, in the middle of a night."""
    REFUSALS_ONCE_PROVEN = 50
    """Users do end their grants; hardly fifty in a row."""
    TROUBLE = 5
    """That many bad answers in a row make a confident job cautious."""
    LONGEST_PAUSE = 15.0

    def __init__(self, *, patience: float) -> None:
        self._patience = patience
        self._accepted = False
        self._proven: set[str] = set()
        self._suspects: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()
        self._bad = 0
        self._bad_since = 0.0

    @property
    def cautious(self) -> bool:
        """Whether calls shall go out one at a time."""
        return not self._accepted or self.in_trouble

    @property
    def in_trouble(self) -> bool:
        """Whether bad answers are the rule: then none of them is a single connection's failure."""
        return self._bad >= self.TROUBLE or (self._bad > 0 and not self._accepted)

    def good(self, kind: str, *, proves: bool = True) -> None:
        """A call of this kind went well; ``proves`` says that it shows the application to be in order."""
        self._bad = 0
        self._accepted = self._accepted or proves
        self._proven.add(kind)
        self._suspects[kind] = self._refusals[kind] = 0

    def accepted(self) -> None:
        """The provider knows the application, whatever it said of the connection."""
        self._accepted = True
        self._bad = 0

    def suspect(self, kind: str, problem: str, *, plain: bool = False) -> Trip | None:
        """An answer that blames either one connection or the application.

        ``plain`` says that it is hardly one connection's fault: one is enough while nothing is proven.
        """
        self._suspects[kind] += 1
        unproven = 1 if plain else self.SUSPECTS
        most = self.SUSPECTS_ONCE_PROVEN if kind in self._proven else unproven
        return Trip(problem) if self._suspects[kind] >= most else None

    def refused(self, kind: str, problem: str, *, patient: bool = False) -> Trip | None:
        """Another connection's token was refused: its user's doing, or all are another application's.

        ``patient`` treats an unproven kind as a proven one.
        """
        self._refusals[kind] += 1
        most = self.REFUSALS_ONCE_PROVEN if patient or kind in self._proven else self.SUSPECTS
        return Trip(problem) if self._refusals[kind] >= most else None

    def bad(self, problem: str, now: float) -> Pause | Trip | None:
        """No answer, or one that says that the provider is in trouble.

        What no waiting mends stops a job at once that has not seen anything go well; another is patient with
        it too.
        """
        if problem in LASTING and not self._accepted:
            return Trip(problem)
        if self._bad == 0:
            self._bad_since = now
        self._bad += 1
        if not self.cautious:
            return None
        if self._bad >= self.TROUBLE and now - self._bad_since >= self._patience:
            return Trip(problem)
        return Pause(min(self.LONGEST_PAUSE, 0.25 * 2 ** min(self._bad, 10)))
