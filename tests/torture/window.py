"""How long an answer that arrived is not yet on disk: the one moment in which a kill can cost it."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.torture.stage import scene

_MEASURED = """
import json, time
from pathlib import Path
from gevent.local import local
from migrator import cli
from migrator.ledger.job_ledger import Ledger
from migrator.wire.http import HttpWire

arrived, windows = local(), []
send, end = HttpWire.send, Ledger.end_call

def timed_send(self, request):
    answer = send(self, request)
    arrived.at = time.perf_counter()
    return answer

def timed_end(self, call):
    end(self, call)
    windows.append(time.perf_counter() - arrived.at)

HttpWire.send, Ledger.end_call = timed_send, timed_end
try:
    cli.main()
finally:
    Path("windows.json").write_text(json.dumps(windows))
"""


def window(folder: Path, *, count: int, seed: int) -> tuple[float, float, float]:
    """Median, 99th percentile and longest, in milliseconds, over a run of so many connections."""
    with scene(folder, count, "latency=150ms", seed=seed, timeout=10) as stage:
        each = windows(stage.folder, stage.clean_environment())
    return statistics.median(each), statistics.quantiles(each, n=100)[98], max(each)


def windows(folder: Path, environment: Mapping[str, str]) -> list[float]:
    """Each call's, in milliseconds, of a run over the ``tokens.csv`` of a folder that has settings for it."""
    subprocess.run(
        [sys.executable, "-c", _MEASURED, "-q", "run", "tokens.csv"],
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return [1000 * value for value in json.loads((folder / "windows.json").read_text("ascii"))]
