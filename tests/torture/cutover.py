"""How long a customer is cut off: from the answer that won a pair until the application has used it.

The old token dies with the swap, so that from then on nothing else works for that customer.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests import postgres
from tests.torture.stage import scene

_APPLICATION = "tests.torture.application"


@dataclass(frozen=True)
class Cutover:
    """What came of one run, in seconds."""

    pairs: int
    median: float
    high: float
    """So long took 99 of 100 at the most."""
    longest: float
    rate: float
    """Swaps a minute."""


def cutover(folder: Path, *, count: int, seed: int) -> Cutover:
    """Swap so many at 10,000 a minute into a real PostgreSQL server, whose application uses each at once.

    The provider allows more: its limit counts the application's own calls, too.
    """
    with (
        scene(folder, count, "repeat=never", "limit=30000/min", seed=seed, timeout=10, expired=0.0) as stage,
        postgres.serving() as server,
        server.database() as database,
    ):
        application = subprocess.Popen(
            [sys.executable, "-m", _APPLICATION, database.url(), stage.sandbox.base_url, str(count)],
            stdout=subprocess.PIPE,
            text=True,
        )
        ran = stage.start("-q", "run", "tokens.csv", "--deliver", database.url("pairs"), "--rate", "10000")
        _, said = ran.communicate()
        if ran.returncode:
            application.kill()
            raise RuntimeError(said)
        told, _ = application.communicate(timeout=120)
        worked = {key: float(moment) for key, moment in (line.rsplit(" ", 1) for line in told.splitlines())}
        answered = dict(
            stage.query(
                """SELECT c.key, a.finished_at FROM attempts a JOIN connections c ON c.id = a.connection_id
                   WHERE a.action = 'swap' AND a.outcome = 'done'"""
            )
        )
        moments = {key: datetime.fromisoformat(moment).timestamp() for key, moment in answered.items()}
        times = sorted(worked[key] - moment for key, moment in moments.items())
        lasted = max(moments.values()) - min(moments.values())
        return Cutover(
            len(times),
            times[len(times) // 2],
            times[len(times) * 99 // 100],
            times[-1],
            (len(times) - 1) / lasted * 60,
        )
