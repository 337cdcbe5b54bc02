"""What ``migrator demo`` shows: the whole job against the sandbox.

It runs real processes, one of which is really killed.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrator.commands.web_extra import web_extra
from migrator.errors import ConfigurationError, ExitCode, LedgerError, StoppedError
from migrator.ledger import lists, status
from migrator.ledger.reading import open_to_read
from migrator.models import State, utc_now
from migrator.row_rules import RowRules
from migrator.sources import Row, open_source

if TYPE_CHECKING:
    from migrator.sandbox import Sandbox

SAMPLES = (
    "partners.csv",
    "practices.json",
    "late-additions.jsonl",
    "legacy.db:xero_tokens",
    "with-bom.csv",
    "rejects.csv",
)
"""One file a format."""

_FAULTS = ("latency=150ms",)
_KILL_AFTER = 15
"""Pairs stored by then: the run is in its middle."""
_PATIENCE = 60.0
_ONE_LOST_ANSWER_TAKES_8_SECONDS = "\ntimeout = 2\n"


def demonstrate() -> bool:
    """Show it, in a new temporary folder. Says whether the sandbox and the ledger agree in the end."""
    samples = _sample_data()
    folder = Path(tempfile.mkdtemp(prefix="migrator-demo-"))
    with _sandbox(folder, samples) as sandbox:
        stage = _Stage(folder, [str(samples / name) for name in SAMPLES])
        _play(stage)
        agreed = _testify(stage, sandbox)
    click.echo(f"\nEverything is in {folder}; look at {folder / 'report.html'}.")
    return agreed


class _Stage:
    """Runs migrator in the demo's folder, as a person would."""

    def __init__(self, folder: Path, samples: list[str]) -> None:
        self.folder = folder
        self.samples = samples

    def run(self, *arguments: str) -> None:
        """Show a command and what it prints; 0 and 1 are what a job may end with."""
        process = self.start(*arguments)
        if process.wait() not in (ExitCode.DONE, ExitCode.INCOMPLETE):
            raise StoppedError(f"the demo's command ended with exit code {process.returncode}")

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """The same, without waiting for its end."""
        shown = " ".join(Path(a).name if a in self.samples else a for a in arguments)
        click.secho(f"\n$ migrator {shown}", bold=True)
        sys.stdout.flush()
        return subprocess.Popen([sys.executable, "-m", "migrator", *arguments], cwd=self.folder)  # noqa: S603

    def migrated(self) -> int:
        """How many connections the ledger says are migrated."""
        try:
            with open_to_read(self.folder / "migration.db") as ledger:
                return status.read_status(ledger, utc_now()).states[State.MIGRATED]
        except LedgerError:  # it is not there yet, or has no tables yet
            return 0


def _play(stage: _Stage) -> None:
    stage.run("run", *stage.samples, "--dry-run")
    click.echo("\nNow the real run; it will be killed (SIGKILL) in the middle.")
    _kill_in_the_middle(stage, stage.start("run", *stage.samples, "--concurrency", "4"))
    click.secho("\nkilled", fg="red")
    stage.run("status")
    click.echo(
        "\nWhat was on its way when it was killed may have taken effect: it is asked again once it is over,"
        "\nand a pair that was not won by the only call counts once it was seen to work. That takes seconds."
    )
    stage.run("resume")
    stage.run("reconsent", "list")
    stage.run("report", "-o", "report.html")


def _kill_in_the_middle(stage: _Stage, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if stage.migrated() >= _KILL_AFTER:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return
        time.sleep(0.02)
    process.kill()
    raise StoppedError("the demo's run ended before it could be killed")


def _testify(stage: _Stage, sandbox: Sandbox) -> bool:
    """What the sandbox, which shares no code with the job, says of the pairs; whether the ledger agrees."""
    witness = sandbox.stats()
    works = {token["tenant_id"] for token in witness["tokens"] if token["pairs_working"]}
    with open_to_read(stage.folder / "migration.db") as ledger:
        migrated = {row.tenant_id for row in lists.listed(ledger) if row.state == State.MIGRATED}
    click.secho("\nThe sandbox, as the independent witness:", bold=True)
    click.echo(f"  swaps that it carried out        {witness['swaps_issued']:>4}")
    click.echo(f"  tokens swapped more than once    {witness['swapped_twice']:>4}")
    click.echo(f"  connections with a working pair  {len(works):>4}")
    click.echo(f"  migrated, says the ledger        {len(migrated):>4}")
    click.echo("They agree, connection by connection." if works == migrated else "THEY DO NOT AGREE.")
    return works == migrated


@contextmanager
def _sandbox(folder: Path, samples: Path) -> Iterator[Sandbox]:
    """The sandbox, which knows the tokens of the sample data, and settings that match."""
    with web_extra("the demo"):
        from migrator import sandbox
        from migrator.sandbox.issuing import client_files
    state = folder / "sandbox.db"
    sandbox.adopt_tokens(state, _rows(samples))
    with sandbox.running(state, _FAULTS) as running:
        settings = client_files.write_settings(folder, sandbox.credentials(state), running.base_url)
        settings.write_text(settings.read_text("utf-8").rstrip() + _ONE_LOST_ANSWER_TAKES_8_SECONDS, "utf-8")
        click.echo(f"A sandbox that knows the tokens of {samples} listens on {running.base_url}.")
        yield running


def _rows(samples: Path) -> Iterator[dict[str, str]]:
    for name in SAMPLES:
        for row in open_source(str(samples / name), stdin=sys.stdin.buffer, rules=RowRules()).rows():
            if isinstance(row, Row):
                yield {column: _text(value) for column, value in row.values.items()}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _sample_data() -> Path:
    package = Path(__file__).parent.parent
    for folder in (package / "sample_data", package.parent / "sample_data"):
        if (folder / SAMPLES[0]).is_file():
            return folder
    raise ConfigurationError(
        "there is no sample data beside the program", hint="run the demo from a checkout, or reinstall"
    )
