"""``run`` and ``resume`` but for the command line: files in, the ledger worked through, how it ended out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from migrator.engine.job import Job
from migrator.engine.workshop import Bench, Ended, Workshop, end
from migrator.errors import LedgerError, LedgerUnwritableError, StoppedError
from migrator.ledger import Intake
from migrator.models import LIFETIME_ASSUMED, Standing, State
from migrator.rules.agenda import Work
from migrator.sources import Source
from migrator.sources.duplicates import DiskSeen
from migrator.sources.screening import screen

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scope:
    """How much of the ledger a run takes on."""

    limit: int | None = None
    """At most so many connections, or all."""
    canary: int | None = None
    """So many first, each pair seen to work before the others follow; or None."""


class Runner:
    """Swaps what can be swapped."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._progress = workshop.progress

    def run(self, sources: Sequence[Source], scope: Scope, show_plan: Callable[[Intake], None]) -> Ended:
        """Take the files in and swap what can be swapped. ``show_plan`` is called before anything is sent."""
        names = [source.name for source in sources]
        with self._workshop.run("run", names, create=True) as bench:
            show_plan(self._take_in(bench, sources))
            return self._work(bench, scope)

    def resume(self, scope: Scope, *, retry_failed: bool) -> Ended:
        """Go on from the ledger alone."""
        with self._workshop.run("resume") as bench:
            if not bench.ledger.status().total:
                raise LedgerError(
                    "the ledger holds no connections", hint="'migrator run TOKENS' takes some in"
                )
            if retry_failed:
                self._progress.note(f"{bench.ledger.retry_failed():,} that had failed are in line again")
            return self._work(bench, scope)

    def _take_in(self, bench: Bench, sources: Sequence[Source]) -> Intake:
        names = [source.name for source in sources]
        self._progress.start("reading", None)
        try:
            with DiskSeen() as seen, bench.interruption.nothing_done_yet():
                rows = screen(sources, seen)
                provider = self._workshop.profile.name
                return bench.ledger.take_in(rows, names, provider, lambda _: self._progress.advance())
        except LedgerUnwritableError as error:
            raise LedgerUnwritableError(
                error.message,
                hint="nothing of the files was taken in: make room, and run it again",
            ) from None
        finally:
            self._progress.stop()

    def _work(self, bench: Bench, scope: Scope) -> Ended:
        job = self._workshop.job(bench)
        # The agenda is fixed before the canary: its connections count among those of the limit.
        agenda = bench.ledger.agenda(Work.SWAP, self._workshop.policy.max_attempts, limit=scope.limit)
        if scope.canary is not None:
            self._fly_canary(bench, job, scope.canary)
        if not bench.interruption.requested:
            self._progress.start("swapping", bench.ledger.open_count(agenda))
            job.work(agenda)
            self._progress.stop()
        states = bench.ledger.status().states
        unfinished = states[State.FAILED] + states[State.UNCERTAIN] + states[State.IN_FLIGHT]
        left = bool(states[State.PENDING])
        return end(
            bench,
            open_=left and (scope.limit is None or bench.interruption.requested),
            wrong=bool(unfinished),
            put_off=True,
        )

    def _fly_canary(self, bench: Bench, job: Job, number: int) -> None:
        """The first few: each is seen to have a pair that reaches its tenant, or its user must consent."""
        ledger = bench.ledger
        agenda = ledger.agenda(Work.SWAP, self._workshop.policy.max_attempts, limit=number)
        flown = ledger.open_ids(agenda)
        self._progress.start("canary", len(flown))
        job.work(agenda)
        self._progress.stop()
        if not bench.interruption.requested:
            job.verify(flown)
        if bench.interruption.requested or not flown:
            return
        ended = [ledger.standing(connection_id) for connection_id in flown]
        reached = [standing for standing in ended if _reaches_its_tenant(standing)]
        wrong = [s for s in ended if s not in reached and s.state is not State.NEEDS_CONSENT]
        for standing in wrong:
            log.warning("canary: connection %d is %s %s", standing.id, standing.state, standing.reason)
        if wrong or not reached:
            raise StoppedError(
                f"the canary fell: {len(reached)} of {len(flown)} have a pair that reaches its tenant",
                hint="see the problems in the ledger; 'migrator resume' goes on without canary",
            )
        self._progress.note(f"canary: each of {len(reached)} new access tokens reaches its tenant")


def _reaches_its_tenant(standing: Standing) -> bool:
    verified = standing.pair is not None and standing.pair.verified
    return verified and standing.state is State.MIGRATED and standing.reason in ("", LIFETIME_ASSUMED)
