"""What ``verify`` and ``refresh`` have in common: one kind of call for each stored pair, counted.

Pairs that were handed over are the application's, and left alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from migrator.engine.delivery import NO_DELIVERY, Delivery
from migrator.engine.engine import Engine
from migrator.engine.open_run import Ended, OpenRun, end_run
from migrator.ledger.pairs import Finding
from migrator.models import Action
from migrator.rules.agenda import Agenda, Work


@dataclass(frozen=True)
class UpkeepResult:
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
    """Pairs that work, and are not as they should be."""
    not_asked: int = 0
    """Pairs beyond the limit."""


def work_through(
    engine: Engine,
    command: str,
    work: Work,
    moment: datetime,
    *,
    limit: int | None = None,
    delivery: Delivery = NO_DELIVERY,
) -> UpkeepResult:
    """Work on every pair of which the kind of work speaks, or the first ``limit``; count what came of it.

    ``delivery`` hands over what is won.
    """
    with engine.open_run(command) as run:
        agenda = run.ledger.agenda(work, engine.policy.max_attempts, moment=moment, limit=limit)
        everybody = run.ledger.agenda(work, engine.policy.max_attempts, moment=moment)
        with delivery.beside(
            run.ledger.deliveries, engine.path.resolve(), run.interruption.stop
        ) as delivering:
            engine.progress.start(command, run.ledger.open_count(agenda))
            engine.job(run, delivering).work(agenda)
            engine.progress.stop()
            undelivered = delivering.drain()
        return replace(
            _kept(run, agenda, undelivered), not_asked=run.ledger.still_open(everybody) if limit else 0
        )


def _kept(run: OpenRun, agenda: Agenda, undelivered: int) -> UpkeepResult:
    calls: Counter[tuple[str, str]] = run.ledger.ended_calls()
    open_ = run.ledger.still_open(agenda)
    findings = run.ledger.findings()
    over = run.ledger.given_up()
    wrong = bool(undelivered or over or (findings and agenda.work in (Work.VERIFY, Work.VERIFY_LIVING)))
    return UpkeepResult(
        ended=end_run(run, open_=bool(open_), wrong=wrong),
        verified=calls[Action.VERIFY, "done"],
        refreshed=run.ledger.refreshed_pairs(),
        over=over,
        open=open_,
        findings=findings,
    )
