"""``make torture``: what a migration night brings, seeded and bounded, with the sandbox as the witness.

Three parts, chosen with ``--only``: ``kills`` (SIGKILLs spread over a run with faults, for each rule of what
a second swap does), ``pace`` (how much of the limit is used, and how many calls are refused), and ``memory``
(its peak against the number of connections). ``--short`` kills a small run a few times.
"""

from __future__ import annotations

import argparse
import csv
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from migrator import sandbox
from migrator.sandbox import files
from tests.support import Scene

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


@contextmanager
def scene(
    folder: Path, count: int, *faults: str, seed: int, timeout: float, expired: float = 0.1
) -> Iterator[Scene]:
    """A sandbox with tokens of partners alone, and settings that suit it."""
    home = folder / "scene"
    home.mkdir(parents=True)
    state = folder / "sandbox.db"
    rows = sandbox.issue_tokens(state, count, "partner=1", expired=expired, seed=seed)
    files.write_tokens(home / "tokens.csv", rows)
    with sandbox.running(state, faults, seed=seed) as running:
        settings = files.write_settings(home, sandbox.credentials(state), running.base_url)
        settings.write_text(f"{settings.read_text('utf-8').rstrip()}\ntimeout = {timeout}\n", "utf-8")
        yield Scene(home, running, sandbox.credentials(state))


def killed_over_and_over(folder: Path, repeat: str, *, count: int, kills: int, seed: int) -> Kills:
    """Kill a run ``kills`` times at random moments, let it finish, and compare ledger and witness."""
    dice = random.Random(seed)
    started = time.monotonic()
    untrue = 0
    with scene(folder, count, f"repeat={repeat}", *FAULTS, seed=seed, timeout=0.5) as stage:
        arguments: tuple[str, ...] = ("run", "tokens.csv")
        progress = 0
        for number in range(1, kills + 1):
            # Moments are spread over the whole run: by connections done, and a random while after that.
            target = count * number // (kills + 1)
            process = stage.start("-q", *arguments)
            await_progress(stage, process, target, progress)
            time.sleep(dice.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            process.communicate()
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
            kills,
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


def pace(folder: Path, *, seconds: int, seed: int) -> tuple[float, int, int]:
    """Run against ``limit=10000/min`` at 150 ms: share of the limit used, calls refused, calls made."""
    rate = 10_000 / 60
    count = int(rate * seconds)
    with scene(
        folder, count, "latency=150ms", "limit=10000/min", seed=seed, timeout=10, expired=0.0
    ) as stage:
        stage.migrator("-q", "run", "tokens.csv", "--limit", "1")
        stage.migrator("-q", "resume", "--concurrency", "64")
        ((first, last, number),) = stage.query(
            """SELECT min(julianday(started_at)), max(julianday(started_at)), count(*) FROM attempts
               WHERE run_id = 2"""
        )
        share = (number - 1) / ((last - first) * 86400) / rate
        return share, stage.sandbox.stats(tokens=False)["requests_refused_429"], number


def memory(folder: Path, count: int) -> tuple[int, int]:
    """Peak resident memory, in MiB, of a run over so many connections, and of a resume; each swaps 150."""
    with scene(folder, 300, seed=1, timeout=10, expired=0.0) as stage:
        with (stage.folder / "tokens.csv").open("a", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            for number in range(count - 300):
                tenant = f"00000000-0000-4000-8000-{number:012d}"
                about = ["partner", f"Organisation {number}", tenant, "ORGANISATION", "a@example.org"]
                token = [f"T{number:030d}", f"S{number:030d}", f"H{number:018d}", ""]
                writer.writerow([f"more-{number}", *about, *token])
        peaks = []
        for command in (["run", "tokens.csv"], ["resume"]):
            stage.folder.joinpath("peak").unlink(missing_ok=True)
            subprocess.run(
                [sys.executable, "-c", _MEASURED, "-q", *command, "--limit", "150"],
                cwd=stage.folder,
                env=stage.clean_environment(),
                stdout=subprocess.DEVNULL,
                check=True,
            )
            peaks.append(int(stage.folder.joinpath("peak").read_text("ascii")) // 1024)
        return peaks[0], peaks[1]


_MEASURED = """
import resource, sys
from pathlib import Path
from migrator import cli
try:
    cli.main()
finally:
    Path("peak").write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
"""


def main() -> int:
    """Run what was asked for; 1 if the ledger said anything untrue."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("kills", "pace", "memory"), action="append")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--connections", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--repeat", choices=REPEAT_RULES, action="append")
    options = parser.parse_args()
    parts = options.only or ["kills", "pace", "memory"]
    count, kills = (400, 12) if options.short else (options.connections, options.kills)
    untrue = 0
    with tempfile.TemporaryDirectory(prefix="migrator-torture-") as name:
        folder = Path(name)
        for repeat in (options.repeat or REPEAT_RULES) if "kills" in parts else ():
            result = killed_over_and_over(
                folder / repeat, repeat, count=count, kills=kills, seed=options.seed
            )
            print(result, flush=True)
            untrue += result.untrue
        if "pace" in parts:
            share, refused, calls = pace(folder / "pace", seconds=90, seed=options.seed)
            print(
                f"limit=10000/min at 150 ms: {share:.1%} of the limit used, {refused} of {calls:,} refused",
                flush=True,
            )
        for number in (1_000, 100_000, 1_000_000) if "memory" in parts else ():
            first, second = memory(folder / f"memory-{number}", number)
            print(f"{number:>9,} connections: run {first} MiB, resume {second} MiB at the peak", flush=True)
    return 1 if untrue else 0


if __name__ == "__main__":
    sys.exit(main())
