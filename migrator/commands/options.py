"""What commands declare alike: options that several have, and what each gets of the global ones.

It is light, as every command's own module is: what does the work is imported once it is asked for.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from migrator.settings.limits import MOST_AT_ONCE

if TYPE_CHECKING:
    from migrator.settings.model import Settings
    from migrator.terminal.progress import Progress

F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_DURATION = re.compile(r"(\d{1,5})([dhm])")


class Duration(click.ParamType[timedelta]):
    """A number of days, hours or minutes: ``7d``, ``12h``, ``90m``."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = _DURATION.fullmatch(str(value).strip().lower())
        if match is None:
            self.fail(f"{value!r} is no duration: say 7d, 12h or 90m", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True)
class Context:
    """The global options."""

    config: Path
    config_given: bool
    ledger_named: Path
    quiet: bool

    @property
    def ledger(self) -> Path:
        """Where the ledger is, or is to be. Raises ``LedgerError`` where none can be.

        Asked for by the commands that need it: the others do not mind a wrong ``MIGRATOR_LEDGER``.
        """
        from migrator.ledger.file import opening

        return opening.usable(self.ledger_named)

    def settings(self, *, required: bool = True) -> Settings:
        """The configuration; its defaults if there is none and none is needed."""
        from migrator.settings.configuration import load

        return load(self.config, required=required or self.config_given)

    def say(self, text: str) -> None:
        """Something that is not a result: to stderr, unless it shall be quiet."""
        if not self.quiet:
            click.echo(text, err=True)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """The display for a job."""
        from migrator.terminal.background import BackgroundProgress
        from migrator.terminal.progress import NoProgress, for_stream

        progress = NoProgress() if self.quiet else BackgroundProgress(for_stream(sys.stderr))
        try:
            yield progress
        finally:
            progress.stop()


pass_context = click.make_pass_decorator(Context)


def job_options(command: F) -> F:
    """What says how the job goes about its work: replaces the settings of the same meaning."""
    command = click.option(
        "--believe-refusals",
        is_flag=True,
        help="Believe the provider even when it refuses many tokens in a row.",
    )(command)
    command = click.option(
        "--rate", type=click.IntRange(min=1), metavar="N", help="Calls a minute at the most."
    )(command)
    return click.option(
        "--concurrency", type=click.IntRange(1, MOST_AT_ONCE), metavar="N", help="Calls at once at the most."
    )(command)


def delivery_options(command: F) -> F:
    """Where pairs are handed over to while they are won."""
    command = click.option(
        "--no-deliver", is_flag=True, help="Hand nothing over, whatever the configuration says."
    )(command)
    return click.option(
        "--deliver",
        "receiver",
        metavar="TO",
        help="Hand each pair over once it is won: to a table (postgresql://…?table=pairs), a program"
        " (exec:COMMAND) or a webhook (https://…).",
    )(command)


def json_option(command: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def print_json(document: object) -> None:
    """One JSON document on stdout, in ASCII: no terminal takes a part of it for a command."""
    import json

    click.echo(json.dumps(document, indent=2))


def print_json_array(elements: Iterable[object]) -> None:
    """The same of a list that may be longer than fits into memory."""
    import json

    before = "["
    for element in elements:
        text = json.dumps(element, indent=2).replace("\n", "\n  ")
        click.echo(f"{before}\n  {text}", nl=False)
        before = ","
    click.echo("[]" if before == "[" else "\n]")
