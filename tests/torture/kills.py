"""SIGKILLs spread over a run with faults; ledger and witness are compared."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support import Scene
from tests.torture.stage import scene

FAULTS = ("drop-response=0.02", "http-503=0.02", "garbage=0.01", "late=0.01:300ms")
REPEAT_RULES = ("newest-wins", "keep", "never")
MOST_RESUMES = 40
"""After the last kill; each asks again what is still uncertain."""


@dataclass(frozen=True)
class Kills:
    """What came of one run that was killed over and over."""

    repeat: str
    kills: int
    resumes: int
    swaps_issued: int
    swapped_twice: int
    migrated: int
    lost: int
    """Connections whose user must consent because an answer was lost."""
    uncertain: int
    untrue: int
    seconds: float


def killed_over_and_over(folder: Path, repeat: str, *, count: int, kills: int, seed: int) -> Kills:
    """Kill a run ``kills`` times at random moments, let it finish, and compare ledger and witness."""
    dice = random.Random(seed)
    started = time.monotonic()
    untrue = 0
    with scene(folder, count, f"repeat={repeat}", *FAULTS, seed=seed, timeout=0.5) as stage:
        arguments: tuple[str, ...] = ("run", "tokens.csv")
        progress = killed = 0
        for number in range(1, kills + 1):
            # Moments are spread over the whole run: by connections done, and a random while after that.
            target = count * number // (kills + 1)
            process = stage.start("-q", *arguments)
            await_progress(stage, process, target, progress)
            time.sleep(dice.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
            if stage.ledger.is_file() and stage.states():
                arguments = ("resume",)
            progress = done(stage)
            if number % 25 == 0 or number == kills:
                untrue += len(stage.untrue()) if arguments == ("resume",) else 0
        resumes = kills - 1
        for _ in range(MOST_RESUMES):
            resumes += 1
            if stage.migrator("-q", *arguments).returncode == 0:
                break
        found = stage.untrue()
        untrue += len(found)
        for line in found[:10]:
            print(line, file=sys.stderr)
        stats, states = stage.sandbox.stats(tokens=False), stage.states()
        ((lost,),) = stage.query("SELECT count(*) FROM connections WHERE reason = 'response_lost'")
        return Kills(
            repeat,
            killed,
            resumes,
            stats["swaps_issued"],
            stats["swapped_twice"],
            states.get("migrated", 0),
            lost - states.get("uncertain", 0),
            states.get("uncertain", 0),
            untrue,
            time.monotonic() - started,
        )


def await_progress(stage: Scene, process: subprocess.Popen[str], target: int, before: int) -> None:
    """Until the job has done ``target`` connections, or one more than before, or half a minute is over."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        now = done(stage)
        if now >= target and now > before:
            return
        time.sleep(0.02)


def done(stage: Scene) -> int:
    states = stage.states()
    return sum(states.get(state, 0) for state in ("migrated", "needs_consent", "uncertain"))
