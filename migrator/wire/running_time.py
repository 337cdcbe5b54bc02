"""A clock that counts only the time in which this process ran, and what its clocks say of the rest.

A process is stopped (Ctrl-Z, SIGSTOP), a laptop sleeps, a virtual machine is paused: nobody may hold that
time against a provider that has answered meanwhile. A thread that looks at the clocks ten times a second
sees it: CLOCK_MONOTONIC goes on while a process is stopped and stands still while the machine sleeps,
CLOCK_BOOTTIME goes on in both, and the wall clock can be set besides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

TICK = 0.1
"""Seconds between two looks at the clocks."""
MOST = 0.3
"""Seconds that the running time goes on between two looks: what is longer, the process did not run."""
TOLD = 3.0
"""Seconds from which on a jump is told: a busy machine is late by less."""

STEP = 1.0
"""Seconds from which on a clock was set, and not only kept right by a time service."""

RunningClock = Callable[[], float]
"""Tells the running time, in seconds since any moment."""

# Where there is no CLOCK_BOOTTIME (macOS), CLOCK_MONOTONIC goes on while the machine sleeps, and Python's own
# monotonic clock stands still.
_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True)
class Reading:
    """What the clocks say at one moment, in seconds."""

    monotonic: float
    """Stands still while the machine sleeps."""
    elapsed: float
    """Stands never still."""
    wall: float
    """Can be set."""


@dataclass(frozen=True)
class Jump:
    """What happened to the time between two looks, in seconds; 0 for what did not."""

    stopped: float = 0.0
    """This process did not run, though the machine did."""
    slept: float = 0.0
    """The machine did not run."""
    set_by: float = 0.0
    """The wall clock was set forward by so much; back, if negative."""

    def sentences(self) -> list[str]:
        """What is to be told of it: whatever is long enough, in a sentence each."""
        told = []
        if self.stopped >= TOLD:
            told.append(f"this process did not run for {span(self.stopped)}: calls in flight get that time")
        if self.slept >= TOLD:
            told.append(f"the machine slept for {span(self.slept)}: calls in flight get that time")
        if abs(self.set_by) >= TOLD:
            way = "forward" if self.set_by > 0 else "back"
            told.append(
                f"this machine's clock was set {way} by {span(abs(self.set_by))}:"
                " its time is part of every signature"
            )
        return told


class RunningTime:
    """Counts the running time from one look at the clocks to the next. Pure: readings are passed in.

    One thread looks; any may ask.
    """

    def __init__(self, first: Reading) -> None:
        self._last = first
        self._counted = first.monotonic, 0.0  # at one moment, so much: read and replaced as one
        self._set: tuple[tuple[float, float], ...] = ()  # when, by the elapsed time, and by how much

    def now(self, monotonic: float) -> float:
        """The running time. Never goes back, and never runs faster than the monotonic clock."""
        at, counted = self._counted
        return counted + min(max(monotonic - at, 0.0), MOST)

    def look(self, reading: Reading) -> Jump:
        """Count on to this reading; returns what happened since the last one."""
        last, self._last = self._last, reading
        passed = reading.monotonic - last.monotonic
        self._counted = reading.monotonic, self.now(reading.monotonic)
        jump = Jump(
            stopped=passed - TICK if passed > MOST else 0.0,
            slept=max(reading.elapsed - last.elapsed - passed, 0.0),
            set_by=_set_by(last, reading),
        )
        if abs(jump.set_by) >= STEP:
            self._set = (*self._set, (reading.elapsed, jump.set_by))
        return jump

    def ahead(self, reading: Reading, within: float) -> float:
        """Seconds by which the wall clock was set forward in the last ``within`` seconds; 0 if it was not.

        So much less than the wall clock says has passed since a moment that was written down before.
        """
        since = _set_by(self._last, reading)  # nobody may have looked yet
        steps = [seconds for moment, seconds in self._set if reading.elapsed - moment <= within]
        return max(sum(steps) + (since if abs(since) >= STEP else 0.0), 0.0)


def _set_by(last: Reading, reading: Reading) -> float:
    return reading.wall - last.wall - (reading.elapsed - last.elapsed)


class ClockMonitor:
    """What the clocks of this process say, while somebody looks at them."""

    def __init__(self) -> None:
        self._time = RunningTime(_read())

    def running(self) -> float:
        """The running time."""
        return self._time.now(time.monotonic())

    def ahead(self, within: float) -> float:
        """As ``RunningTime.ahead``, now."""
        return self._time.ahead(_read(), within)

    def look(self) -> Jump:
        """Count on to now."""
        return self._time.look(_read())


@contextmanager
def clocks_monitored(tell: Callable[[str], None]) -> Iterator[ClockMonitor]:
    """The clocks are looked at while the block lasts; ``tell`` is given a sentence for each of their jumps.

    It is called by another thread.
    """
    watch = ClockMonitor()
    over = threading.Event()

    def look() -> None:
        while not over.wait(TICK):
            for sentence in watch.look().sentences():
                tell(sentence)

    thread = threading.Thread(target=look, name="clocks", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def _read() -> Reading:
    """All clocks at one moment: read again if the process was stopped in between."""
    while True:
        before = time.monotonic()
        reading = Reading(before, time.clock_gettime(_ELAPSED), time.time())
        if time.monotonic() - before < TICK:
            return reading


def span(seconds: float) -> str:
    """How long something was, for people: ``3 s``, ``10 min``, ``2 h 10 min``."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes))
