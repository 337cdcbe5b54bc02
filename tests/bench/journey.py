"""The way of one file through migrator, a command at a time, whatever its size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.bench.filling import fill
from tests.bench.home import Home, forget, home
from tests.bench.processes import Taken
from tests.bench.rows import write_rows
from tests.bench.serving import Stub

SWAPPED = 500
"""Calls that ``run`` makes, whatever the size: what it takes should not depend on that."""
LEFT = 0.01
"""The share that is still to be swapped once the job is nearly done."""


@dataclass(frozen=True)
class Journey:
    """Where it happens. The steps come in the order of the methods."""

    place: Home
    stub: Stub
    rows: int

    def plan(self) -> Taken:
        """The dry run, where there is no ledger yet."""
        forget(self.place.ledger)
        return self.plan_again()

    def plan_again(self) -> Taken:
        """The same beside what ledger there is."""
        return self.place.migrator("-q", "run", "tokens.csv", "--dry-run")

    def load(self) -> Taken:
        """Everything into a new ledger, and one swap, so that there is a pair to copy."""
        forget(self.place.ledger)
        return self.place.migrator("-q", "run", "tokens.csv", "--limit", "1")

    def run(self) -> Taken:
        """Some swaps, where all the others are still to be made, too."""
        return self.place.migrator("-q", "resume", "--limit", str(SWAPPED))

    def nearly_done(self) -> None:
        """No command: see ``filling``."""
        fill(self.place.ledger, max(10, int(LEFT * self.rows)))

    def resume(self) -> tuple[Taken, float]:
        """One swap more; and after how many seconds its call came."""
        self.stub.witnessed(anew=True)
        taken = self.place.migrator("-q", "resume", "--limit", "1")
        return taken, self.stub.witnessed().first - taken.began

    def status(self) -> Taken:
        """Where it stands."""
        return self.place.migrator("status")

    def report(self) -> Taken:
        """The record, as a page."""
        return self.place.migrator("-q", "report", "-o", self._new("report.html"))

    def export(self) -> Taken:
        """All pairs into a file."""
        return self.place.migrator("-q", "export", "-o", self._new("pairs.csv"))

    def export_to(self, url: str) -> Taken:
        """All pairs into a table of a database that does not have it yet."""
        return self.place.migrator("-q", "export", "--to", url)

    def kept(self) -> dict[str, Taken]:
        """What is done with a ledger besides, by command; in the end its tokens are gone."""
        copied, commands = self._new("copy.db"), ("status --json", "reconsent list --csv", "ledger rekey")
        taken = {"ledger copy": self.place.migrator("-q", "ledger", "copy", copied)}
        taken |= {command: self.place.migrator("-q", *command.split()) for command in commands}
        return {**taken, "purge --yes": self.place.migrator("-q", "purge", "--yes")}

    def _new(self, name: str) -> Path:
        path = self.place.folder / name
        path.unlink(missing_ok=True)
        return path


def journey(folder: Path, stub: Stub, rows: int) -> Journey:
    """Begin one, with a new file of so many rows."""
    place = home(folder, stub, concurrency=32)
    write_rows(place.tokens, rows)
    return Journey(place, stub, rows)
