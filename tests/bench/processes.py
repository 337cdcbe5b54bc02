"""Runs a process to its end, and says what it took."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# A child counts the memory of whoever started it until it becomes another program: hence one in between
# that has next to none.
_LAUNCHER = """
import json, os, sys
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    json.dump([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss], file)
"""


@dataclass(frozen=True)
class Taken:
    """What a process took."""

    seconds: float
    processor: float
    """Seconds, of all its threads together."""
    memory: float
    """MiB at the peak."""
    began: float
    """When it was started, by ``time.monotonic``."""
    output: str
    """What it printed."""


class FailedError(Exception):
    """A process did not end as it should."""


def taken(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    *,
    codes: Sequence[int] = (0,),
) -> Taken:
    """Run a command in a folder; raises ``FailedError`` if it ends with another exit code than these."""
    with tempfile.NamedTemporaryFile() as told:
        began = time.monotonic()
        finished = subprocess.run(
            [sys.executable, "-ISc", _LAUNCHER, told.name, *map(str, command)],
            cwd=folder,
            env=dict(environment),
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - began
        if finished.returncode:
            raise FailedError(f"{command[0]} could not be started: {finished.stderr}")
        code, processor, kilobytes = json.loads(Path(told.name).read_text("ascii"))
    if code not in codes:
        said = (finished.stdout + finished.stderr)[-2_000:]
        raise FailedError(f"{' '.join(map(str, command))} ended with {code}: {said}")
    return Taken(seconds, processor, kilobytes / 1_024, began, finished.stdout)
