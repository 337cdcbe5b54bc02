"""``run`` and ``resume`` but for the command line.

Settings and files in, the ledger worked through, how it ended out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from migrator import ledger as ledgers
from migrator.errors import ExitCode, LedgerError, LedgerUnwritableError, StoppedError
from migrator.gate import Gate
from migrator.intake import screen
from migrator.interruption import Interruption, heeded
from migrator.job import Job, Tools
from migrator.ledger import DiskSeen, Intake, Ledger, LedgerKey, Status
from migrator.models import Clock, Credentials, Standing, State
from migrator.pacing import Breaker, Pace
from migrator.progress import Progress
from migrator.providers import Profile
from migrator.settings import JobSettings
from migrator.sources import Source
from migrator.transitions import Policy
from migrator.wire import HttpWire, longest_call

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scope:
    """How much of the ledger a run takes on."""

    limit: int | None = None
    """At most so many connections, or all."""
    canary: int | None = None
    """So many first, each pair seen to work before the others follow; or None."""


@dataclass(frozen=True)
class Ended:
    """How a run ended that was not stopped by a fault."""

    status: Status
    outcome: str
    """``done``, ``incomplete`` or ``interrupted``."""
    exit_code: ExitCode
    left: int
    """Connections that the run's limit left for another one."""


class Runner:
    """Works one ledger with one provider."""

    def __init__(
        self,
        ledger: Path,
        key: LedgerKey,
        profile: Profile,
        credentials: Credentials,
        settings: JobSettings,
        *,
        clock: Clock,
        progress: Progress,
    ) -> None:
        self._path = ledger
        self._key = key
        self._profile = profile
        self._credentials = credentials
        self._settings = settings
        self._clock = clock
        self._progress = progress
        # Longer than any time-out: an answer that was given up may still take as long again at the provider.
        self._policy = Policy(
            settings.max_attempts,
            settle=timedelta(seconds=2 * longest_call(settings.timeout)),
            patience=timedelta(seconds=settings.patience),
            believe_refusals=settings.believe_refusals,
        )

    def run(self, sources: Sequence[Source], scope: Scope, show_plan: Callable[[Intake], None]) -> Ended:
        """Take the files in and swap what can be swapped. ``show_plan`` is called before anything is sent."""
        with self._run("run", sources, create=True) as (ledger, interruption):
            show_plan(self._take_in(ledger, sources, interruption))
            return self._work(ledger, scope, interruption)

    def resume(self, scope: Scope, *, retry_failed: bool) -> Ended:
        """Go on from the ledger alone."""
        with self._run("resume", (), create=False) as (ledger, interruption):
            if not ledger.status().total:
                raise LedgerError(
                    "the ledger holds no connections", hint="'migrator run TOKENS' takes some in"
                )
            if retry_failed:
                self._progress.note(f"{ledger.retry_failed():,} that had failed are in line again")
            return self._work(ledger, scope, interruption)

    @contextmanager
    def _run(
        self, command: str, sources: Sequence[Source], *, create: bool
    ) -> Iterator[tuple[Ledger, Interruption]]:
        """A run in the ledger, from its beginning to how it ended."""
        longest = longest_call(self._settings.timeout) + ledgers.HURRIED_WAIT
        with (
            heeded(longest) as interruption,
            ledgers.open_for_job(
                self._path, self._key, self._clock, create=create, hurry=interruption.stop
            ) as ledger,
        ):
            names = [source.name for source in sources]
            stock = ledger.begin_run(command, self._policy, names, workers=self._settings.concurrency)
            if stock.rescued:
                self._progress.note(f"{stock.rescued:,} answers from the rescue file are in the ledger now")
            if stock.open_calls:
                self._progress.note(
                    f"{stock.open_calls:,} calls were under way when an earlier process ended: asked again"
                )
            try:
                yield ledger, interruption
            except LedgerUnwritableError:
                raise  # how the run ended cannot be written either
            except BaseException:
                ledger.end_run("stopped")
                raise
            finally:
                self._progress.stop()

    def _take_in(self, ledger: Ledger, sources: Sequence[Source], interruption: Interruption) -> Intake:
        names = [source.name for source in sources]
        self._progress.start("reading", None)
        try:
            with DiskSeen() as seen, interruption.nothing_done_yet():
                rows = screen(sources, seen)
                return ledger.take_in(rows, names, self._profile.name, lambda _: self._progress.advance())
        except LedgerUnwritableError as error:
            raise LedgerUnwritableError(
                error.message,
                hint="nothing of the files was taken in: make room, and run it again",
            ) from None
        finally:
            self._progress.stop()

    def _work(self, ledger: Ledger, scope: Scope, interruption: Interruption) -> Ended:
        job = Job(
            ledger,
            self._tools(),
            self._policy,
            concurrency=self._settings.concurrency,
            stop=interruption.stop,
        )
        # The range is fixed before the canary: its connections count among those of the limit.
        within = ledger.open_range(self._policy.max_attempts, scope.limit)
        if scope.canary is not None:
            self._fly_canary(ledger, job, scope.canary, interruption)
        if not interruption.requested:
            self._progress.start("swapping", ledger.open_count(within))
            job.work(within)
            self._progress.stop()
        return self._end(ledger, scope, interruption)

    def _fly_canary(self, ledger: Ledger, job: Job, number: int, interruption: Interruption) -> None:
        """The first few: each is seen to have a pair that reaches its tenant, or its user must consent."""
        within = ledger.open_range(self._policy.max_attempts, number)
        flown = ledger.open_ids(within)
        self._progress.start("canary", len(flown))
        job.work(within)
        self._progress.stop()
        if not interruption.requested:
            job.verify(flown)
        if interruption.requested or not flown:
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

    def _tools(self) -> Tools:
        pace = Pace(self._settings.rate_per_minute, self._profile.rate_per_minute)
        return Tools(
            profile=self._profile,
            credentials=self._credentials,
            gate=Gate(pace, Breaker(patience=self._policy.patience.total_seconds())),
            new_wire=lambda: HttpWire(self._credentials, timeout=self._settings.timeout, clock=self._clock),
            clock=self._clock,
            dice=Random(),  # noqa: S311 - jitter, not cryptography
            progress=self._progress,
        )

    def _end(self, ledger: Ledger, scope: Scope, interruption: Interruption) -> Ended:
        states = ledger.status().states
        unfinished = states[State.FAILED] + states[State.UNCERTAIN] + states[State.IN_FLIGHT]
        left = states[State.PENDING]
        if interruption.requested and (left or unfinished):
            outcome, exit_code = "interrupted", ExitCode.INTERRUPTED
        elif unfinished or (left and scope.limit is None):
            outcome, exit_code = "incomplete", ExitCode.INCOMPLETE
        else:
            outcome, exit_code = "done", ExitCode.DONE
        ledger.end_run(outcome)
        return Ended(ledger.status(), outcome, exit_code, left)


def _reaches_its_tenant(standing: Standing) -> bool:
    verified = standing.pair is not None and standing.pair.verified
    return verified and standing.state is State.MIGRATED and not standing.reason
