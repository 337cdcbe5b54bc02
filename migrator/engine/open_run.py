"""One run under way, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.engine.interruption import Interruption
from migrator.errors import ExitCode
from migrator.ledger.job_ledger import Ledger
from migrator.ledger.status import Status
from migrator.wire.running_time import ClockMonitor


@dataclass(frozen=True)
class OpenRun:
    """A run under way: what is worked on, and what may end it."""

    ledger: Ledger
    interruption: Interruption
    watch: ClockMonitor
    """Tells how long this process ran."""


@dataclass(frozen=True)
class Ended:
    """How a run ended that was not stopped by a fault."""

    status: Status
    outcome: str
    """``done``, ``incomplete`` or ``interrupted``."""
    exit_code: ExitCode


def end_run(run: OpenRun, *, open_: bool, wrong: bool, put_off: bool = False) -> Ended:
    """Record how a run ended: ``open_`` says that work was left undone, ``wrong`` that some of it failed,
    ``put_off`` that what is left undone is merely not due.
    """
    if run.interruption.requested and (open_ or wrong):
        outcome, exit_code = "interrupted", ExitCode.INTERRUPTED
    elif open_ or wrong:
        outcome = "incomplete"
        exit_code = ExitCode.STOPPED if put_off and not wrong else ExitCode.INCOMPLETE
    else:
        outcome, exit_code = "done", ExitCode.DONE
    run.ledger.end_run(outcome)
    return Ended(run.ledger.status(), outcome, exit_code)
