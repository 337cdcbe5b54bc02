"""What every run needs: the ledger opened and locked, the run recorded, signals heeded, tools laid out."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from migrator import ledger as ledgers
from migrator.engine.gate import Gate
from migrator.engine.interruption import Interruption, heeded
from migrator.engine.job import Job, Tools
from migrator.engine.reread import reread_all
from migrator.errors import ExitCode, LedgerUnwritableError, StoppedError
from migrator.ledger import Fate, Ledger, LedgerKey, Status
from migrator.models import Clock, Credentials
from migrator.providers import Profile
from migrator.rules.pacing import Breaker, Pace
from migrator.rules.transitions import Policy
from migrator.settings.model import JobSettings
from migrator.terminal.progress import Progress
from migrator.terminal.tables import printable
from migrator.wire.http import HttpWire, Wire, longest_call
from migrator.wire.network import DIRECT, Network
from migrator.wire.running_time import RunningClock, Watch, watched
from migrator.wording import counted

log = logging.getLogger(__name__)

_EXPORT_LEFT = {
    Fate.HANDED_OVER: "the export to {target} was whole when its process ended: it counts",
    Fate.NOT_HANDED_OVER: "the export to {target} was not whole when its process ended: it does not count",
    Fate.UNKNOWN: "nobody knows what became of the export to {target}, whose process ended:"
    " its pairs are left alone until they are exported again",
}


@dataclass(frozen=True)
class Bench:
    """A run under way: what is worked on, and what may end it."""

    ledger: Ledger
    interruption: Interruption
    watch: Watch
    """Tells how long this process ran."""


@dataclass(frozen=True)
class Workshop:
    """One ledger, one provider, and how to go about the work."""

    path: Path
    key: LedgerKey
    profile: Profile
    credentials: Credentials | None
    """None where nothing is sent."""
    settings: JobSettings
    clock: Clock
    progress: Progress
    network: Network = DIRECT

    @property
    def policy(self) -> Policy:
        """How patient a job is: an answer that was given up may still take as long again at the provider."""
        settle = timedelta(seconds=2 * longest_call(self.settings.timeout))
        return Policy(
            self.settings.max_attempts,
            settle,
            timedelta(seconds=self.settings.patience),
            self.settings.believe_refusals,
        )

    @contextmanager
    def run(self, command: str, sources: Sequence[str] = (), *, create: bool = False) -> Iterator[Bench]:
        """A run in the ledger, from its beginning to how it ended.

        The block ends the run itself when it knows how; one that raises is recorded as ``stopped``.
        """
        longest = longest_call(self.settings.timeout) + ledgers.HURRIED_WAIT
        with (
            heeded(longest) as interruption,
            watched(log.warning) as watch,
            ledgers.open_for_job(
                self.path, self.key, self.clock, create=create, hurry=interruption.stop
            ) as ledger,
        ):
            self._begin(ledger, command, sources)
            try:
                yield Bench(ledger, interruption, watch)
            except LedgerUnwritableError:
                raise  # how the run ended cannot be written either
            except BaseException as error:
                ledger.end_run("stopped", error.resume_at if isinstance(error, StoppedError) else None)
                raise
            finally:
                self.progress.stop()

    def _begin(self, ledger: Ledger, command: str, sources: Sequence[str]) -> None:
        stock = ledger.begin_run(command, self.policy, sources, workers=self.settings.concurrency)
        if stock.rescued:
            self.progress.note(
                counted(
                    stock.rescued,
                    "answer from the rescue file is in the ledger now",
                    "answers from the rescue file are in the ledger now",
                )
            )
        if stock.open_calls:
            self.progress.note(
                counted(stock.open_calls, "call was", "calls were")
                + " under way when an earlier process ended: asked again"
            )
        if stock.consents:
            self.progress.note(
                counted(stock.consents, "consent was", "consents were")
                + " under way when 'reconsent serve' ended: whose it was clicks once more"
            )
        found = reread_all(ledger, self.profile)
        if found:
            self.progress.note(
                counted(found, "answer that was", "answers that were")
                + " not understood at the time held a pair: it is seen to work before it counts"
            )
        for target, fate in stock.exports:
            self.progress.note(_EXPORT_LEFT[fate].format(target=printable(target)))

    def job(self, bench: Bench) -> Job:
        """What makes the calls of a run. Raises ``ValueError`` without credentials."""
        if self.credentials is None:
            raise ValueError("calls need credentials")
        return Job(
            bench.ledger,
            self._tools(self.credentials, bench.watch),
            self.policy,
            concurrency=self.settings.concurrency,
            stop=bench.interruption.stop,
        )

    def new_wire(self, credentials: Credentials, running: RunningClock) -> Wire:
        """A way to the provider, for one worker; ``running`` counts what its calls may take."""
        return HttpWire(
            credentials,
            timeout=self.settings.timeout,
            clock=self.clock,
            running=running,
            network=self.network,
        )

    def _tools(self, credentials: Credentials, watch: Watch) -> Tools:
        settle = self.policy.settle.total_seconds()
        pace = Pace(self.settings.rate_per_minute, self.profile.rate_per_minute)
        return Tools(
            profile=self.profile,
            credentials=credentials,
            gate=Gate(pace, Breaker(patience=self.settings.patience), running=watch.running),
            new_wire=lambda: self.new_wire(credentials, watch.running),
            clock=self.clock,
            due=lambda: self.clock() - timedelta(seconds=watch.ahead(settle)),
            dice=Random(),  # noqa: S311 - jitter, not cryptography
            progress=self.progress,
        )


@dataclass(frozen=True)
class Ended:
    """How a run ended that was not stopped by a fault."""

    status: Status
    outcome: str
    """``done``, ``incomplete`` or ``interrupted``."""
    exit_code: ExitCode


def end(bench: Bench, *, open_: bool, wrong: bool, put_off: bool = False) -> Ended:
    """Record how a run ended: ``open_`` says that work was left undone, ``wrong`` that some of it failed,
    ``put_off`` that what is left undone is merely not due.
    """
    if bench.interruption.requested and (open_ or wrong):
        outcome, exit_code = "interrupted", ExitCode.INTERRUPTED
    elif open_ or wrong:
        outcome = "incomplete"
        exit_code = ExitCode.STOPPED if put_off and not wrong else ExitCode.INCOMPLETE
    else:
        outcome, exit_code = "done", ExitCode.DONE
    bench.ledger.end_run(outcome)
    return Ended(bench.ledger.status(), outcome, exit_code)
