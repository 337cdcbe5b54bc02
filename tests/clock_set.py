"""Runs migrator on a machine whose clock is set forward once the first call has ended.

``python -m tests.clock_set SECONDS MIGRATOR-ARGUMENTS``
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta

from migrator import cli, models
from migrator.commands import make_engine
from migrator.ledger.calls import EndedCall
from migrator.ledger.job_ledger import Ledger


class MovedClock:
    """The wall clock, which is right until it is set."""

    def __init__(self) -> None:
        self.set_by = 0.0
        self._time, self._utc_now = time.time, models.utc_now

    def time(self) -> float:
        return self._time() + self.set_by

    def utc_now(self) -> datetime:
        return self._utc_now() + timedelta(seconds=self.set_by)


def arm(seconds: float) -> None:
    """Put the clock in the place of the machine's."""
    clock, end = MovedClock(), Ledger.end_call

    def end_call(self: Ledger, call: EndedCall) -> None:
        end(self, call)
        clock.set_by = seconds

    time.time = clock.time
    vars(make_engine)["utc_now"] = clock.utc_now
    Ledger.end_call = end_call  # type: ignore[method-assign]


if __name__ == "__main__":
    by, *arguments = sys.argv[1:]
    arm(float(by))
    sys.argv = ["migrator", *arguments]
    cli.main()
