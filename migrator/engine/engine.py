"""What every run needs: the ledger opened and locked, the run recorded, signals handled, a job made."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from migrator.engine import recovery_notes
from migrator.engine.application_token import ApplicationTokens
from migrator.engine.delivery import NOBODY_TAKES, Delivering
from migrator.engine.gate import Gate
from migrator.engine.interruption import signals_handled
from migrator.engine.job import Job, Tools
from migrator.engine.open_run import OpenRun
from migrator.engine.reread_answers import reread_all
from migrator.errors import ConfigurationError, LedgerUnwritableError, StoppedError
from migrator.ledger.access import open_for_job
from migrator.ledger.file.vault import LedgerKey
from migrator.ledger.file.writer import INTERRUPTED_WAIT
from migrator.ledger.job_ledger import Ledger
from migrator.ledger.open_ledger import OpenLedger
from migrator.models import Clock, Credentials
from migrator.providers import Profile
from migrator.row_rules import RowRules
from migrator.rules.pacing import Moment, Pacer
from migrator.rules.terms import Terms
from migrator.rules.verdict import Policy
from migrator.settings.model import JobSettings
from migrator.terminal.progress import Progress
from migrator.wire.http import HttpWire, Wire, longest_call
from migrator.wire.network import DIRECT, Network
from migrator.wire.running_time import RunningClock, clocks_monitored
from migrator.wording import counted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Engine:
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
        asked = self.credentials.scopes if self.credentials and self.profile.asks_scopes else ()
        return Policy(
            self.settings.max_attempts,
            settle,
            timedelta(seconds=self.settings.patience),
            self.settings.believe_refusals,
            Terms.of(self.profile.facts, asked),
        )

    @property
    def rules(self) -> RowRules:
        """What rows must have, so that this provider can be called for them."""
        keys = self.credentials.consumer_keys if self.credentials is not None else frozenset()
        return self.profile.row_rules(keys or None)

    @contextmanager
    def open_run(
        self, command: str, sources: Sequence[str] = (), *, create: bool = False
    ) -> Iterator[OpenRun]:
        """A run in the ledger, from its beginning to how it ended.

        The block ends the run itself when it knows how; one that raises is recorded as ``stopped``.
        """
        longest = longest_call(self.settings.timeout) + INTERRUPTED_WAIT
        with (
            signals_handled(longest) as interruption,
            clocks_monitored(log.warning) as watch,
            open_for_job(
                self.path, self.key, self.clock, create=create, hurry=interruption.stop, rules=self.rules
            ) as ledger,
        ):
            self._begin(ledger, command, sources)
            try:
                yield OpenRun(ledger, interruption, watch)
            except LedgerUnwritableError:
                raise  # how the run ended cannot be written either
            except BaseException as error:
                ledger.end_run("stopped", error.resume_at if isinstance(error, StoppedError) else None)
                raise
            finally:
                self.progress.stop()

    def require_provider(self, ledger: OpenLedger) -> None:
        """See that the ledger is this provider's: no tokens of one are ever sent to another.

        Raises ``ConfigurationError``.
        """
        if other := ledger.other_provider(self.profile.name):
            raise ConfigurationError(
                f"the ledger {self.path} holds connections of {other!r},"
                f" and the configuration is for {self.profile.name!r}",
                hint="mend 'provider' or the profile's name, or name another ledger with --ledger FILE",
            )

    def require_applications(self, ledger: OpenLedger) -> None:
        """See that calls can be made for every connection of the ledger, whichever application it is of.

        Raises ``ConfigurationError``.
        """
        if self.credentials is None or not self.credentials.consumer_keys:
            return
        waiting = ledger.applications()
        unknown = [
            f"{key} ({counted(number, 'connection')})"
            for key, number in waiting.items()
            if key not in self.credentials.consumer_keys
        ]
        if unknown:
            raise ConfigurationError(
                "the ledger holds connections of legacy applications that the configuration does not name:"
                f" {', '.join(unknown)}",
                hint="add each to migrator.toml, as [oauth1.applications.NAME] with consumer_key and"
                " consumer_secret_file",
            )

    def _begin(self, ledger: Ledger, command: str, sources: Sequence[str]) -> None:
        self.require_provider(ledger)
        self.require_applications(ledger)
        stock = ledger.begin_run(command, self.policy, sources, workers=self.settings.concurrency)
        found = reread_all(ledger, self.profile)
        for text in recovery_notes.messages(stock, len(found.pairs), len(found.renewals)):
            self.progress.note(text)

    def job(self, run: OpenRun, delivering: Delivering = NOBODY_TAKES) -> Job:
        """What makes the calls of a run; ``delivering`` may hold its swaps up.

        Raises ``ValueError`` without credentials.
        """
        if self.credentials is None:
            raise ValueError("calls need credentials")
        return Job(
            run.ledger,
            self._tools(self.credentials, run, delivering),
            self.policy,
            concurrency=self.settings.concurrency,
            stop=run.interruption.stop,
        )

    def new_wire(self, running: RunningClock) -> Wire:
        """A way to the provider, for one worker; ``running`` counts what its calls may take."""
        return HttpWire(
            timeout=self.settings.timeout,
            clock=self.clock,
            running=running,
            network=self.network,
        )

    def _pacer(self, ledger: Ledger) -> Pacer:
        """What paces the calls, and knows those of earlier runs that still count."""
        pacer = Pacer(
            self.profile.limits,
            rate_per_minute=self.settings.rate_per_minute,
            leave=self.settings.leave,
        )
        now, monotonic = self.clock(), time.monotonic()
        for sent in ledger.sent_since(now - pacer.looks_back):
            ago = max(0.0, (now - sent.second).total_seconds())
            at = Moment(monotonic - ago, now.timestamp() - ago)
            pacer.seed(sent.action, sent.consumer_key, at, sent.number)
        return pacer

    def _tools(self, credentials: Credentials, run: OpenRun, delivering: Delivering) -> Tools:
        settle = self.policy.settle.total_seconds()
        watch = run.watch
        return Tools(
            profile=self.profile,
            credentials=credentials,
            gate=Gate(self._pacer(run.ledger), utc=lambda: self.clock().timestamp()),
            new_wire=lambda: self.new_wire(watch.running),
            clock=self.clock,
            due=lambda: self.clock() - timedelta(seconds=watch.ahead(settle)),
            running=watch.running,
            random=Random(),  # noqa: S311 - jitter, not cryptography
            progress=self.progress,
            application_tokens=ApplicationTokens(self.profile, self.clock),
            delivering=delivering,
        )
