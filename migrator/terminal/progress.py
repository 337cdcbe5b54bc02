"""How a job shows that it moves.

A bar on a terminal, a line now and then elsewhere, nothing when nobody looks. A display whose reader has gone
must not end the job, so nothing is made of its errors.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import suppress
from typing import NoReturn, Protocol, TextIO

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 5.0


class Progress(Protocol):
    """What a job tells while it works. Called by several threads."""

    def start(self, what: str, total: int | None) -> None:
        """A new phase with ``total`` connections or rows, or an unknown number."""

    def advance(self, state: str = "", number: int = 1) -> None:
        """One more is done, or a number of them, and ended in this state."""

    def note(self, text: str) -> None:
        """Something that a person who waits wants to know."""

    def stop(self) -> None:
        """The phase is over."""


class NoProgress:
    """Tells nobody."""

    def start(self, what: str, total: int | None) -> None:
        del what, total

    def advance(self, state: str = "", number: int = 1) -> None:
        del state, number

    def note(self, text: str) -> None:
        del text

    def stop(self) -> None:
        """Nothing to end."""


class Bar:
    """A tqdm bar with rate, time left and counts by state."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._bar: tqdm[NoReturn] | None = None
        self._states: Counter[str] = Counter()

    def start(self, what: str, total: int | None) -> None:
        self.stop()
        with self._lock, suppress(OSError):
            self._states.clear()
            self._bar = tqdm(
                total=total, desc=what, unit="", file=self._stream, dynamic_ncols=True, smoothing=0.1
            )

    def advance(self, state: str = "", number: int = 1) -> None:
        with self._lock, suppress(OSError):
            if self._bar is None:
                return
            if state:
                self._states[state] += number
                self._bar.set_postfix(dict(sorted(self._states.items())), refresh=False)
            self._bar.update(number)

    def note(self, text: str) -> None:
        with self._lock, suppress(OSError):
            tqdm.write(text, file=self._stream)

    def stop(self) -> None:
        with self._lock, suppress(OSError):
            if self._bar is not None:
                self._bar.close()
                self._bar = None


class Lines:
    """Plain lines, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._what = ""
        self._total: int | None = None
        self._done = 0
        self._states: Counter[str] = Counter()
        self._started = self._said = 0.0

    def start(self, what: str, total: int | None) -> None:
        self.stop()
        with self._lock, suppress(OSError):
            self._what, self._total, self._done = what, total, 0
            self._states.clear()
            self._started = self._said = time.monotonic()

    def advance(self, state: str = "", number: int = 1) -> None:
        with self._lock, suppress(OSError):
            self._done += number
            if state:
                self._states[state] += number
            if time.monotonic() - self._said >= SECONDS_BETWEEN_LINES:
                self._say()

    def note(self, text: str) -> None:
        with self._lock, suppress(OSError):
            print(text, file=self._stream, flush=True)

    def stop(self) -> None:
        with self._lock, suppress(OSError):
            if self._what:
                self._say()
                self._what = ""

    def _say(self) -> None:
        now = time.monotonic()
        rate = self._done / max(now - self._started, 0.001)
        of = f" of {self._total:,}" if self._total is not None else ""
        left = (
            f", {(self._total - self._done) / rate:.0f} s left"
            if self._total and rate and self._done < self._total
            else ""
        )
        states = "".join(f", {state} {number:,}" for state, number in sorted(self._states.items()))
        pace = f"{rate:,.0f}/s" if rate >= 1 or not rate else f"{rate * 60:,.0f}/min"
        print(f"{self._what}: {self._done:,}{of} ({pace}{left}){states}", file=self._stream, flush=True)
        self._said = now


def for_stream(stream: TextIO) -> Progress:
    """The display that suits a stream."""
    return Bar(stream) if stream.isatty() else Lines(stream)
