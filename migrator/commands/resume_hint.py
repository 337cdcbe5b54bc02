"""How a run ended, and how to go on later: the time from when on it is of use, and the command, as cron and
``at`` take it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.commands.options import Context
from migrator.errors import StoppedError
from migrator.models import State, utc_now
from migrator.terminal.durations import duration_text
from migrator.terminal.present import moment_text, status_text

if TYPE_CHECKING:  # 'migrator status' asks when to go on, too, and needs no engine
    from migrator.engine.open_run import Ended


def command_line(context: Context, *command: str) -> str:
    """A command on the same ledger, as any shell in any folder takes it, whatever its PATH."""
    options = ["--config", str(context.config.absolute())] if _is_there(context.config) else []
    return shlex.join([*_program(), *options, "--ledger", str(context.ledger.absolute()), *command])


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder that one may not enter
        return False


def _program() -> list[str]:
    """What starts this very program; cron's PATH knows of no virtual environment."""
    started = Path(sys.argv[0])
    if started.name != "__main__.py":  # that is "python -m migrator"
        script = Path(shutil.which(started) or started).absolute()
        if script.is_file() and os.access(script, os.X_OK):
            return [str(script)]
    return [sys.executable, "-m", "migrator"]


def when_to_go_on(context: Context, resume_at: datetime, *command: str) -> list[str]:
    """From when on a command is of use, and how to have it done by itself then."""
    line = command_line(context, *command)
    in_time = duration_text(resume_at - utc_now())
    return [
        f"go on from {moment_text(resume_at)} on, in {in_time}: {line}",
        f"to have that done by itself: echo {shlex.quote(line)} | at -t {_at_time(resume_at)}",
    ]


@contextmanager
def told_when_to_go_on(context: Context, *command: str) -> Iterator[None]:
    """Within it, a job that the provider stops for a while says when which command goes on."""
    try:
        yield
    except StoppedError as error:
        if error.resume_at is None:
            raise
        hint = "\n".join(when_to_go_on(context, error.resume_at, *command))
        raise StoppedError(error.message, hint=hint, resume_at=error.resume_at) from None


def print_end(context: Context, ended: Ended) -> None:
    """How a run ended, and how to go on."""
    status = ended.status
    click.echo(status_text(status))
    left, failed = status.states[State.PENDING], status.states[State.FAILED]
    if ended.outcome == "interrupted":
        click.echo("interrupted: 'migrator resume' goes on", err=True)
    elif ended.outcome == "incomplete" and failed:
        click.echo(
            "not complete: 'migrator resume' asks again, with --retry-failed for what failed too", err=True
        )
    elif ended.outcome == "incomplete":
        click.echo("not complete: 'migrator resume' asks again", err=True)
    elif left:
        click.echo(f"{left:,} left for later: 'migrator resume' goes on", err=True)
    if status.resume_at is not None:
        click.echo("\n".join(when_to_go_on(context, status.resume_at, status.go_on_with)), err=True)


def _at_time(moment: datetime) -> str:
    """A time as ``at -t`` takes it (POSIX): of this machine's zone, a whole minute, and not before it."""
    whole = moment.replace(second=0, microsecond=0)
    return (whole if whole == moment else whole + timedelta(minutes=1)).astimezone().strftime("%Y%m%d%H%M")
