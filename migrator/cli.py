"""The command group and its global options.

The one place where an error becomes a message and an exit code.
"""

from __future__ import annotations

import errno
import io
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import click

from migrator import __version__
from migrator.commands import VARIABLES, Commands, name_variables
from migrator.commands.options import Context
from migrator.engine import open_files
from migrator.errors import ExitCode, MigratorError
from migrator.terminal.nowhere import divert
from migrator.terminal.printable import printable

_OUTPUT_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""A disk, a quota or a file that is full, and a medium or terminal that is gone: no fault of ours."""


def _file_if_named(context: click.Context, parameter: click.Parameter, path: str) -> Path:
    """A configuration that somebody names must be a file that can be read; of the one that may lie in the
    working folder only those commands need that which read it.
    """
    if context.get_parameter_source(parameter.name or "") is click.core.ParameterSource.DEFAULT:
        return Path(path)
    named: Path = click.Path(path_type=Path, dir_okay=False).convert(path, parameter, context)
    return named


@click.group(
    commands=Commands(),
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 110,
    },
)
@click.version_option(__version__, prog_name="migrator")
@click.option(
    "--config",
    type=click.Path(readable=False),
    metavar="FILE",
    callback=_file_if_named,
    default="migrator.toml",
    show_default=True,
    help="The configuration file.",
)
@click.option(
    "--ledger",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("migration.db"),
    show_default=True,
    help="The ledger: one SQLite file that says what happened to every connection.",
)
@click.option(
    "--log-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the log, in full, to this file as well.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
@click.option("-v", "--verbose", is_flag=True, help="Say what happens to each connection.")
@click.pass_context
def cli(
    context: click.Context,
    config: Path,
    ledger: Path,
    log_file: Path | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Move an application's users from OAuth 1.0a to OAuth 2.0, in bulk, without asking them and without
    losing one.

    Start with 'migrator init', then 'migrator run TOKENS --dry-run'.
    """
    if quiet and verbose:
        raise click.UsageError("-q and -v exclude each other")
    from migrator.terminal import logs  # noqa: PLC0415 - help and the version need none

    logs.set_up(log_file, quiet=quiet, verbose=verbose)
    given = context.get_parameter_source("config") is not click.core.ParameterSource.DEFAULT
    context.obj = Context(config=config, config_given=given, ledger_named=ledger, quiet=quiet)


name_variables(cli, VARIABLES)


def main() -> None:
    """The console script."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold every token in hand
    open_files.raise_limit()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name need not fit a terminal of eight bits
    try:
        exit_code = _outcome()
    finally:
        _flush_errors()
    sys.exit(exit_code)


def _outcome() -> int:
    """Run the command; what went wrong is told, and becomes an exit code."""
    try:
        exit_code = cli.main(standalone_mode=False, prog_name="migrator")
        sys.stdout.flush()  # here, where a reader that has gone is still noticed
    except click.ClickException as error:
        with suppress(OSError):
            error.show(sys.stderr)
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted")
        return ExitCode.INTERRUPTED
    except MigratorError as error:
        _complain(f"error: {printable(error.message)}")
        if error.hint:
            for hint in error.hint.split("\n"):
                _complain(f"hint: {printable(hint)}")
        return error.exit_code
    except BrokenPipeError:  # whoever read our output has gone; that is no fault of ours
        divert(sys.stdout)
        return ExitCode.INCOMPLETE
    except OSError as error:
        if error.errno not in _OUTPUT_FAULTS:
            raise
        divert(sys.stdout)
        _complain(f"error: the output could not be written: {error.strerror}")
        _complain("hint: send it elsewhere; what a job did is in its ledger: 'migrator status'")
        return ExitCode.USAGE
    return int(exit_code or ExitCode.DONE)


def _complain(text: str) -> None:
    """To standard error; if nobody is there any more, the exit code says it."""
    with suppress(OSError):
        click.echo(text, err=True)


def _flush_errors() -> None:
    """What standard error cannot take goes nowhere: else Python ends with an exit code of its own, 120."""
    stream: TextIO | None = sys.stderr  # None where it was closed before we began
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        divert(sys.stderr)
