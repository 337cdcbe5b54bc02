"""``deliver`` but for the command line: what others win is handed over, by a process of its own."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.engine.engine import Engine
from migrator.engine.interruption import signals_handled
from migrator.errors import ExitCode
from migrator.handover.delivery_loop import BackgroundDelivery
from migrator.ledger.access import open_to_deliver

_LONGEST = 30.0
"""Seconds that a delivery under way may take, for who interrupts it."""
_ALL = 1 << 40


@dataclass(frozen=True)
class Delivered:
    """What came of it."""

    pairs: int
    """Handed over by this process."""
    waiting: int
    """Not handed over, those among them that the receiver refused."""
    refused: int
    exit_code: ExitCode


def deliver(engine: Engine, delivery: BackgroundDelivery, *, follow: bool) -> Delivered:
    """Hand over what waits, and with ``follow`` what comes, until somebody asks to end.

    Raises ``LedgerLockedError`` if another process delivers, ``LedgerError``, ``LedgerUnwritableError``.
    """
    with (
        signals_handled(_LONGEST) as interruption,
        open_to_deliver(engine.path, engine.key, engine.clock, hurry=interruption.stop) as ledger,
    ):
        ledger.begin_run()
        deliveries = ledger.deliveries
        try:
            with delivery.beside(deliveries, engine.path.resolve(), interruption.stop) as delivering:
                if follow:
                    interruption.stop.wait()
                else:
                    delivering.drain()
        except BaseException:
            ledger.end_run("stopped")
            raise
        finally:
            engine.progress.stop()
        refused = deliveries.refused()
        waiting = deliveries.backlog(_ALL).pairs + refused
        left = interruption.requested and waiting > refused
        code = ExitCode.INTERRUPTED if left else ExitCode.INCOMPLETE if refused else ExitCode.DONE
        ledger.end_run("done" if code is ExitCode.DONE else "incomplete")
        return Delivered(deliveries.delivered_by_this_run(), waiting, refused, code)
