"""``purge`` but for the command line: the tokens of what was handed over are forgotten."""

from __future__ import annotations

from migrator.engine.engine import Engine
from migrator.ledger.purge import Purged


def purge(engine: Engine) -> Purged:
    """Take the tokens of what was handed over out of the ledger; what was not is kept, and counted."""
    with engine.open_run("purge") as run:
        purged = run.ledger.purge()
        run.ledger.end_run("done")
        return purged
