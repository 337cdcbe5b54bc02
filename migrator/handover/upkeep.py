"""``verify`` and ``refresh`` but for the command line: pairs are seen to work, and kept alive until the
application takes them over.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from migrator.engine.workshop import Bench, Ended, Workshop, end
from migrator.ledger import Finding
from migrator.models import Action
from migrator.rules.agenda import Agenda, Work


@dataclass(frozen=True)
class Kept:
    """What a round of upkeep came to."""

    ended: Ended
    verified: int
    """Pairs that were seen to work."""
    refreshed: int
    """Pairs in the place of which there is a new one."""
    over: int
    """Pairs that the provider takes no more."""
    open: int
    """Pairs of which nobody knows yet."""
    findings: list[Finding]
    """Pairs that work, and do not reach what the legacy row said."""


_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class Upkeep:
    """Looks after stored pairs. Those that were handed over are the application's, and left alone."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    def verify(self, *, again: bool) -> Kept:
        """Ask, with each access token, which tenants it reaches; ``again`` includes those asked before."""
        return self._keep("verify", Work.VERIFY, self._workshop.clock() if again else _EVER)

    def refresh(self, *, within: timedelta | None) -> Kept:
        """Refresh the pairs whose refresh token ends ``within`` that time, or every pair."""
        now = self._workshop.clock()
        if within is None:
            return self._keep("refresh", Work.REFRESH_ALL, now)
        return self._keep("refresh", Work.REFRESH_ENDING, now + within)

    def _keep(self, command: str, work: Work, moment: datetime) -> Kept:
        with self._workshop.run(command) as bench:
            agenda = bench.ledger.agenda(work, self._workshop.policy.max_attempts, moment=moment)
            self._workshop.progress.start(command, bench.ledger.open_count(agenda))
            self._workshop.job(bench).work(agenda)
            self._workshop.progress.stop()
            return self._kept(bench, agenda)

    def _kept(self, bench: Bench, agenda: Agenda) -> Kept:
        calls: Counter[tuple[str, str]] = bench.ledger.ended_calls()
        open_ = bench.ledger.still_open(agenda)
        findings = bench.ledger.findings()
        over = bench.ledger.given_up()
        wrong = bool(over or (findings and agenda.work is Work.VERIFY))
        return Kept(
            ended=end(bench, open_=bool(open_), wrong=wrong),
            verified=calls[Action.VERIFY, "done"],
            refreshed=calls[Action.REFRESH, "done"],
            over=over,
            open=open_,
            findings=findings,
        )
