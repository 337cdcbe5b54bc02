"""SIGKILLs spread over a run with faults; ledger and witness are compared."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from migrator.errors import ExitCode
from migrator.ledger.file.rescue import ROOM_FOR_EACH
from tests.end_to_end.support import with_limits
from tests.support import Scene
from tests.torture.stage import scene

FAULTS = ("drop-response=0.02", "http-503=0.02", "garbage=0.01", "late=0.01:300ms", "limit=1000000/min")
"""Within Xero's own limit, a process would make do with what the killed ones before it have left of it."""
REPEAT_RULES = ("newest-wins", "keep", "never")
OWN_RULE = ""
"""What the sandbox knows that the provider does to a second swap."""
WITHOUT_RULE = ("xero", "garmin", "vimeo")
"""Providers of which nobody knows that: they are tried with every rule."""
MOST_RESUMES = 40
"""After the last kill; each asks again what is still uncertain."""


FULL_AT = 32 * ROOM_FOR_EACH // 1024 + 300
"""Kilobytes that a file may have on a full disk: what is set aside for answers, and a little for the log."""
EARLY_EVERY = 5
"""Every so manieth kill falls early: in start-up, intake or canary, or in the recovery from the last."""
EARLY = 2.0
"""Seconds from the start of a process in which an early kill falls."""
EARLY_RATE = ("--rate", "3000")
"""Calls a minute until then, lest a fast machine has nothing left for the other kills."""
FULL_DISK_EVERY = 2
"""Before every so manieth early kill a disk was full, so that there is a rescue file to take in."""
COMPARE_EVERY = 5
"""After every so manieth kill ledger and witness are compared: it takes a second for 20,000 connections."""


@dataclass(frozen=True)
class Strike:
    """One kill, decided before the first: the same seed makes the same choices, however fast the machine."""

    target: int | None
    """Connections that are done before it falls; None for an early one, which awaits nothing."""
    pause: float
    """Seconds that pass then, or for an early one from the start of the process."""
    same_file: bool = False
    """Whether ``run`` is killed, with the same file as before, and not ``resume``."""
    full_disk: bool = False
    """Whether the process before it met a full disk."""


def strikes(count: int, kills: int, seed: int) -> Iterator[Strike]:
    """Kills that are spread over the whole run, and between them the early ones; the first is one."""
    dice = random.Random(seed)
    for number in range(kills):
        round_, place = divmod(number, EARLY_EVERY)
        if place:
            yield Strike(count * (number + 1) // (kills + 1), dice.uniform(0, 0.05))
        else:
            same_file = dice.random() < 0.5
            full_disk = round_ % FULL_DISK_EVERY == 1
            yield Strike(None, dice.uniform(0, EARLY), same_file=same_file, full_disk=full_disk)


@dataclass(frozen=True)
class Kills:
    """What came of one run that was killed over and over."""

    provider: str
    repeat: str
    kills: int
    full_disks: int
    resumes: int
    swaps_issued: int
    swapped_twice: int
    migrated: int
    lost: int
    """Connections whose user must consent because an answer was lost."""
    uncertain: int
    comparisons: int
    untrue: int
    seconds: float


def rules_of(provider: str) -> tuple[str, ...]:
    """The rules for a second swap that a provider is tried with."""
    return REPEAT_RULES if provider in WITHOUT_RULE else (OWN_RULE,)


def killed_over_and_over(
    folder: Path, repeat: str, *, count: int, kills: int, seed: int, provider: str = "xero"
) -> Kills:
    """Kill a run ``kills`` times at random moments, let it finish, and compare ledger and witness."""
    started = time.monotonic()
    killed = full_disks = comparisons = untrue = 0
    faults = (f"repeat={repeat}", *FAULTS) if repeat else FAULTS
    with scene(folder, count, *faults, seed=seed, timeout=0.5, provider=provider) as stage:
        if provider != "xero":
            with_limits(stage)
        for number, strike in enumerate(strikes(count, kills, seed), 1):
            if strike.full_disk:
                full_disks += meets_full_disk(stage)
            killed += falls(stage, strike)
            if number % COMPARE_EVERY == 0 and stage.states():
                comparisons += 1
                untrue += compare(stage)
        resumes = kills - 1
        for _ in range(MOST_RESUMES):
            resumes += 1
            if stage.migrator("-q", *command(stage)).returncode == 0:
                break
        untrue += compare(stage)
        stats, states = stage.sandbox.stats(tokens=False), stage.states()
        ((lost,),) = stage.query("SELECT count(*) FROM connections WHERE reason = 'response_lost'")
        return Kills(
            provider,
            repeat or "its own",
            killed,
            full_disks,
            resumes,
            stats["swaps_issued"],
            stats["swapped_twice"],
            states.get("migrated", 0),
            lost - states.get("uncertain", 0),
            states.get("uncertain", 0),
            comparisons + 1,
            untrue,
            time.monotonic() - started,
        )


def falls(stage: Scene, strike: Strike) -> bool:
    """Start a process and let a strike fall; whether it met the process alive."""
    before = done(stage)
    arguments = command(stage, same_file=strike.same_file)
    if strike.target is None:
        process = stage.start("-q", *arguments, *EARLY_RATE)
    else:
        process = stage.start("-q", *arguments)
        await_progress(stage, process, strike.target, before)
    time.sleep(strike.pause)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def command(stage: Scene, *, same_file: bool = False) -> tuple[str, ...]:
    """What to start: ``run`` with a canary as long as the ledger has no connections."""
    if not stage.states():
        return ("run", "tokens.csv", "--canary", "5")
    return ("run", "tokens.csv") if same_file else ("resume",)


def meets_full_disk(stage: Scene) -> bool:
    """Let a process go on until SQLite's log has no room; whether it came to that."""
    stage.empty_log()
    return stage.with_little_room(FULL_AT, "-q", *command(stage)).returncode == ExitCode.STOPPED


def compare(stage: Scene) -> int:
    """The number of untrue statements; the first few are printed."""
    found = stage.untrue()
    for line in found[:10]:
        print(line, file=sys.stderr)
    return len(found)


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
