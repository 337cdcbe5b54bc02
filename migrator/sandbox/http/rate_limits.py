"""Several limits at once: a call is let in where all that concern it have room, and counts with them all."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrator.sandbox.http.limits import CalendarWindow, Limit, SlidingWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrator.sandbox.http.messages import Call
    from migrator.sandbox.http.service import Admission
    from migrator.sandbox.state.clock import Clock


def everybody(_call: Call) -> str:
    """A subject: the application as a whole."""
    return ""


@dataclass(frozen=True)
class Rule:
    """One limit of a provider's."""

    limit: Limit
    subject: Callable[[Call], str | None] = everybody
    """Calls of one subject are counted together; None: this limit does not concern the call."""
    calendar: bool = False
    """Whether its window ends with the hour or day (UTC) instead of sliding."""


@dataclass(frozen=True)
class Standing:
    """How a call stands with one of the limits that concern it, once it was let in or not."""

    limit: Limit
    full: bool
    """Whether this limit is why the call is not let in."""
    remaining: int
    """Further calls that it would let in now."""
    more_in: float
    """Seconds until it would let in more than that."""
    more_at: float
    """The same as epoch seconds, by the provider's clock."""


def in_force(rules: Sequence[Rule], ordered: Limit | None) -> tuple[Rule, ...]:
    """A provider's own rules, or in their place the one that was ordered: of what its first one counts."""
    if ordered is None:
        return tuple(rules)
    first = rules[0] if rules else Rule(ordered)
    return (replace(first, limit=ordered, calendar=False),)


class RateLimits:
    """The rate limiter of a provider. Refused calls count with no limit. In memory only."""

    def __init__(
        self, clock: Clock, rules: Sequence[Rule], tell: Callable[[Call, Sequence[Standing]], Admission]
    ) -> None:
        """``tell`` says in the provider's words how a call stands; one that no limit concerns, with none."""
        self._clock = clock
        self._rules = rules
        self._tell = tell
        self._windows: dict[tuple[int, str], SlidingWindow | CalendarWindow] = {}
        self._lock = threading.Lock()

    @contextmanager
    def admitting(self, call: Call) -> Iterator[Admission]:
        """Let a call in or not."""
        yield self._tell(call, self._stand(call))

    def _stand(self, call: Call) -> list[Standing]:
        concerned = [
            (number, rule, subject)
            for number, rule in enumerate(self._rules)
            if (subject := rule.subject(call)) is not None
        ]
        with self._lock:
            windows = [self._window(number, rule, subject) for number, rule, subject in concerned]
            full = [window.left(self._now(window)) == 0 for window in windows]
            if not any(full):
                for window in windows:
                    window.acquire(self._now(window))
            return [self._standing(window, is_full) for window, is_full in zip(windows, full, strict=True)]

    def _window(self, number: int, rule: Rule, subject: str) -> SlidingWindow | CalendarWindow:
        kind = CalendarWindow if rule.calendar else SlidingWindow
        return self._windows.setdefault((number, subject), kind(rule.limit))

    def _now(self, window: SlidingWindow | CalendarWindow) -> float:
        return self._clock.now() if isinstance(window, CalendarWindow) else self._clock.ticks()

    def _standing(self, window: SlidingWindow | CalendarWindow, full: bool) -> Standing:
        now = self._now(window)
        more_in = window.more_in(now)
        return Standing(window.limit, full, window.left(now), more_in, self._clock.now() + more_in)
