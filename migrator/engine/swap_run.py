"""``run`` and ``resume`` but for the command line: files in, the ledger worked through, how it ended out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from migrator.engine.application_lock import alone_with_application
from migrator.engine.closed_exchange import require_open
from migrator.engine.delivery import NO_DELIVERY, Delivering, Delivery
from migrator.engine.engine import Engine
from migrator.engine.job import Job
from migrator.engine.open_run import Ended, OpenRun, end_run
from migrator.errors import LedgerError, LedgerUnwritableError, StoppedError
from migrator.ledger.intake import Intake
from migrator.models import State
from migrator.rules.agenda import Work
from migrator.rules.canary import judge_canary
from migrator.sources import Source
from migrator.sources.duplicates import DuplicateIndex
from migrator.sources.screening import screen
from migrator.wording import counted

log = logging.getLogger(__name__)

_NOT_OVER = (
    "the canary is not over: 'migrator run' with the same files and --canary begins another;"
    " 'migrator resume' goes on without one"
)


class _CanaryFailedError(StoppedError):
    """The first few were seen not to work as they should."""


@dataclass(frozen=True)
class Scope:
    """How much of the ledger a run takes on."""

    limit: int | None = None
    """At most so many connections, or all."""
    canary: int | None = None
    """So many first, each pair seen to work before the others follow; or None."""


class SwapRun:
    """Swaps what can be swapped."""

    def __init__(self, engine: Engine, delivery: Delivery = NO_DELIVERY) -> None:
        """``delivery`` hands the pairs over while they are won."""
        self._engine = engine
        self._delivery = delivery
        self._progress = engine.progress

    def run(self, sources: Sequence[Source], scope: Scope, show_plan: Callable[[Intake], None]) -> Ended:
        """Take the files in and swap what can be swapped. ``show_plan`` is called before anything is sent."""
        names = [source.name for source in sources]
        with self._engine.open_run("run", names, create=True) as run:
            show_plan(self._take_in(run, sources))
            return self._work(run, scope)

    def resume(self, scope: Scope, *, retry_failed: bool) -> Ended:
        """Go on from the ledger alone."""
        with self._engine.open_run("resume") as run:
            if run.ledger.is_empty():
                raise LedgerError(
                    "the ledger holds no connections", hint="'migrator run TOKENS' takes some in"
                )
            if retry_failed:
                self._progress.note(f"{run.ledger.retry_failed():,} that had failed are in line again")
            return self._work(run, scope)

    def _take_in(self, run: OpenRun, sources: Sequence[Source]) -> Intake:
        names = [source.name for source in sources]
        self._progress.start("reading", None)
        try:
            with DuplicateIndex() as seen, run.interruption.nothing_done_yet():
                rows = screen(sources, seen, self._engine.rules)
                return run.ledger.take_in(
                    rows,
                    names,
                    self._engine.profile.name,
                    lambda number: self._progress.advance(number=number),
                    terms=self._engine.policy.terms,
                )
        except LedgerUnwritableError as error:
            raise LedgerUnwritableError(
                error.message,
                hint="nothing of the files was taken in: make room, and run it again",
            ) from None
        finally:
            self._progress.stop()

    def _work(self, run: OpenRun, scope: Scope) -> Ended:
        engine = self._engine
        if engine.credentials is None:
            raise ValueError("calls need credentials")
        with (
            alone_with_application(engine.profile, engine.credentials, engine.policy.terms),
            self._delivery.beside(
                run.ledger.deliveries, engine.path.resolve(), run.interruption.stop
            ) as delivering,
        ):
            return self._swap(run, scope, delivering)

    def _swap(self, run: OpenRun, scope: Scope, delivering: Delivering) -> Ended:
        job = self._engine.job(run, delivering)
        # The agenda is fixed before the canary: its connections count among those of the limit.
        agenda = run.ledger.agenda(Work.SWAP, self._engine.policy.max_attempts, limit=scope.limit)
        if run.ledger.open_count(agenda):
            require_open(self._engine.profile, self._engine.clock())
        if scope.canary is not None:
            self._run_canary_or_warn(run, job, delivering, scope.canary)
        if not run.interruption.requested:
            self._progress.start("swapping", run.ledger.open_count(agenda))
            job.work(agenda)
            self._progress.stop()
        undelivered = delivering.drain()
        alive = 0
        if self._engine.policy.terms.disables and not run.interruption.requested:
            alive = self._disable(run, job)
        states = run.ledger.status().states
        unfinished = states[State.FAILED] + states[State.UNCERTAIN] + states[State.IN_FLIGHT]
        left = bool(states[State.PENDING])
        return end_run(
            run,
            open_=left and (scope.limit is None or run.interruption.requested),
            wrong=bool(unfinished or alive or undelivered),
            put_off=True,
        )

    def _disable(self, run: OpenRun, job: Job) -> int:
        """End the legacy tokens of those whose pairs are stored: whatever else happens, never before.

        Returns how many should have ended, and have not.
        """
        agenda = run.ledger.agenda(Work.DISABLE, self._engine.policy.max_attempts)
        self._progress.start("disabling", run.ledger.open_count(agenda))
        job.work(agenda)
        self._progress.stop()
        return run.ledger.still_open(agenda)

    def _run_canary_or_warn(self, run: OpenRun, job: Job, delivering: Delivering, number: int) -> None:
        """The canary. Where it is left before its end, whoever goes on learns that ``resume`` has none."""
        try:
            self._run_canary(run, job, delivering, number)
        except StoppedError as error:
            if not isinstance(error, _CanaryFailedError):
                log.warning(_NOT_OVER)
            raise
        if run.interruption.requested:
            log.warning(_NOT_OVER)

    def _run_canary(self, run: OpenRun, job: Job, delivering: Delivering, number: int) -> None:
        """The first few: each is seen to have a pair that reaches its tenant, or its user must consent."""
        ledger = run.ledger
        agenda = ledger.agenda(Work.SWAP, self._engine.policy.max_attempts, limit=number)
        canary = ledger.open_ids(agenda)
        self._progress.start("canary", len(canary))
        job.work(agenda)
        self._progress.stop()
        if not run.interruption.requested:
            job.verify(canary)
        if run.interruption.requested or not canary:
            return
        standings = [ledger.standing(connection_id) for connection_id in canary]
        verifies = self._engine.policy.terms.verifies
        judged = judge_canary(standings, verifies=verifies)
        for standing in judged.wrong:
            log.warning("canary: connection %d is %s %s", standing.id, standing.state, standing.reason)
        if not judged.passed:
            raise _CanaryFailedError(
                f"the canary failed: {judged.reached} of {len(canary)} have a pair that works as it should",
                hint="see the problems in the ledger; 'migrator resume' goes on without canary",
            )
        if not delivering.has_taken([each.id for each in standings if each.state is State.MIGRATED]):
            if run.interruption.requested:
                return
            raise _CanaryFailedError(
                "the canary failed: its pairs are not seen where they are delivered to",
                hint="see the problems in the ledger; 'migrator resume' goes on without canary",
            )
        shown = (
            "works as it should" if verifies else "is stored; this provider cannot be asked whether it works"
        )
        delivered = "" if self._delivery is NO_DELIVERY else ", and the application has it"
        self._progress.note(
            f"canary: each of {counted(judged.reached, 'new access token')} {shown}{delivered}"
        )
