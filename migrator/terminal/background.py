"""Shows how a job moves from a thread of its own.

A terminal may take nothing (Ctrl-S), a pipe be full: who makes calls must not wait for that, with answers
that nobody records meanwhile.
"""

from __future__ import annotations

import threading
from collections import Counter

from migrator.terminal.progress import Progress

_LOOK = 0.1
"""Seconds between two looks at what there is to show."""


class BackgroundProgress:
    """A display that keeps nobody waiting but whoever begins or ends a phase."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self._lock = threading.Lock()
        self._done: Counter[str] = Counter()
        self._notes: list[str] = []
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, what: str, total: int | None) -> None:
        self.stop()
        self._shown.start(what, total)
        self._over.clear()
        self._thread = threading.Thread(target=self._keep_showing, name="progress", daemon=True)
        self._thread.start()

    def advance(self, state: str = "", number: int = 1) -> None:
        with self._lock:
            self._done[state] += number

    def note(self, text: str) -> None:
        with self._lock:
            self._notes.append(text)
        if self._thread is None:
            self._show()

    def stop(self) -> None:
        if self._thread is not None:
            self._over.set()
            self._thread.join()
            self._thread = None
        self._show()
        self._shown.stop()

    def _keep_showing(self) -> None:
        while not self._over.wait(_LOOK):
            self._show()

    def _show(self) -> None:
        with self._lock:
            done, self._done = self._done, Counter()
            notes, self._notes = self._notes, []
        for text in notes:
            self._shown.note(text)
        for state, number in done.items():
            self._shown.advance(state, number)
