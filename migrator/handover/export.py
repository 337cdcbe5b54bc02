"""``export`` but for the command line: pairs go to the application, and the ledger remembers that they did.

What an export is about to take is in the ledger before a byte of it is written; that it is handed over, once
the application can have it. If its process dies in between, the next one finds out from the file, where there
is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from migrator.engine.engine import Engine
from migrator.engine.open_run import OpenRun
from migrator.errors import InterruptedExportError
from migrator.handover.destinations import Destination
from migrator.handover.pair_per_user import one_a_user
from migrator.handover.shapes import Row, Shape, named_apart, row_a_user, rows_a_connection
from migrator.ledger.exports import ExportedPair, Exports


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
            _settle(run.ledger.exports, destination)
            export_id, size = run.ledger.exports.begin(
                destination.name,
                str(destination.part) if destination.part else None,
                one_a_user if choice.per_user else None,
                only_new=choice.only_new,
                delivery_id=destination.delivery_id,
            )
            try:
                destination.write(
                    _Taken(run, export_id, choice, self._engine.clock()),
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


def _settle(exports: Exports, destination: Destination) -> None:
    """Ask the destination what became of exports to it whose process died. Raises ``OutputError``."""
    for export in exports.unfinished():
        if export.delivery_id is None or export.target != destination.name:
            continue
        match destination.has_arrived(export.delivery_id):
            case True:
                exports.finish(export.id)
            case False:
                exports.cancel(export.id)


@dataclass(frozen=True)
class _Taken:
    """What an export takes, as rows."""

    run: OpenRun
    export_id: int
    choice: Choice
    now: datetime

    def columns(self) -> Sequence[str]:
        found: dict[str, None] = {}
        for first in self:
            found = dict.fromkeys(first)
            break
        if found and not self.choice.per_user:  # what is under ``connections`` has columns of its own
            for further in self.run.ledger.exports.further(self.export_id):
                self._check_interruption()
                found.update(dict.fromkeys(named_apart(further)))
        return tuple(found)

    def __iter__(self) -> Iterator[Row]:
        return self._a_user() if self.choice.per_user else self._a_connection()

    def _a_connection(self) -> Iterator[Row]:
        for handed in self._pairs():
            yield from rows_a_connection(handed, self.choice.shape, self.now)

    def _a_user(self) -> Iterator[Row]:
        # Users of one pair come once: there is no need to remember them.
        met = dict.fromkeys(self.run.ledger.exports.users_of_several_pairs(self.export_id), False)
        for handed in self._pairs():
            user_id = handed.pair.user_id
            yield row_a_user(handed, self.choice.shape, self.now, first=not met.get(user_id))
            if user_id in met:
                met[user_id] = True

    def _pairs(self) -> Iterator[ExportedPair]:
        for handed in self.run.ledger.exports.taken(self.export_id):
            self._check_interruption()
            yield handed

    def _check_interruption(self) -> None:
        if self.run.interruption.requested:
            raise InterruptedExportError(
                "interrupted: nothing counts as handed over", hint="export again when it suits"
            )
