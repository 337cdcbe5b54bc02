"""``export`` but for the command line: pairs go to the application, and the ledger remembers that they did.

What an export is about to take is in the ledger before a byte of it is written; that it is handed over, once
the application can have it. If its process dies in between, the next one finds out from the file, where there
is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migrator.engine.engine import Engine
from migrator.engine.open_run import OpenRun
from migrator.errors import InterruptedExportError
from migrator.handover.destinations import Destination
from migrator.handover.pair_per_user import each_its_own, one_a_user
from migrator.handover.shapes import Row, Shape, row_a_user, rows_a_connection


@dataclass(frozen=True)
class Choice:
    """What is handed over, and how it is written."""

    shape: Shape
    per_user: bool = False
    """One row a user, or one a connection."""
    only_new: bool = False
    """Leave out what was handed over before."""


@dataclass(frozen=True)
class HandedOver:
    """What became of an export."""

    connections: int
    rows: int
    ended: int
    """Pairs that were left out because their refresh token has ended."""


class Exporter:
    """Hands pairs over."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def export(self, destination: Destination, choice: Choice) -> HandedOver:
        """Hand over what the choice says.

        Raises ``OutputError`` if it cannot be written, ``InterruptedExportError`` if somebody asked to end:
        then nothing is handed over.
        """
        with self._engine.open_run("export") as run:
            choose = one_a_user if choice.per_user else each_its_own
            export_id, size = run.ledger.exports.begin(
                destination.name,
                str(destination.part) if destination.part else None,
                choose,
                only_new=choice.only_new,
            )
            try:
                destination.write(
                    lambda: self._rows(run, export_id, choice),
                    lambda sha256: run.ledger.exports.seal(export_id, sha256),
                )
            except BaseException:
                if destination.takes_back:  # else nobody knows what its reader made of it
                    run.ledger.exports.cancel(export_id)
                raise
            run.ledger.exports.finish(export_id)
            run.ledger.end_run("done")
            rows = size.pairs if choice.per_user else size.connections
            return HandedOver(size.connections, rows, run.ledger.exports.ended_in_hand())

    def _rows(self, run: OpenRun, export_id: int, choice: Choice) -> Iterator[Row]:
        now = self._engine.clock()
        users: set[str] = set()
        for handed in run.ledger.exports.taken(export_id):
            if run.interruption.requested:
                raise InterruptedExportError(
                    "interrupted: nothing counts as handed over", hint="export again when it suits"
                )
            if choice.per_user:
                yield row_a_user(handed, choice.shape, now, first=handed.pair.user_id not in users)
                users.add(handed.pair.user_id)
            else:
                yield from rows_a_connection(handed, choice.shape, now)
