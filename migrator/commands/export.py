"""``migrator export``: hand the pairs over to the application."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.commands.options import Context, json_option, pass_context, print_json
from migrator.handover.shapes import SHAPES
from migrator.wording import counted

if TYPE_CHECKING:
    from migrator.handover.destinations import Destination


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="A new file (mode 0600), .jsonl or .csv; - is standard output, as JSON lines.",
)
@click.option(
    "--to",
    "url",
    metavar="URL",
    help="A table of the application's database, as in postgresql://user@host/database?table=pairs.",
)
@click.option("--terminal", is_flag=True, help="Let -o - show the tokens on a terminal.")
@click.option(
    "--per",
    type=click.Choice(["connection", "user"]),
    default="connection",
    show_default=True,
    help="One pair a connection, or one a user with the connections that it stands for.",
)
@click.option("--since-last", is_flag=True, help="Only what was not handed over before.")
@click.option(
    "--shape",
    type=click.Choice(sorted(SHAPES)),
    default="plain",
    show_default=True,
    help="How a pair is written: as columns, or as a provider's SDK takes it.",
)
@json_option
@pass_context
def export(
    context: Context,
    output: Path | None,
    url: str | None,
    terminal: bool,
    per: str,
    since_last: bool,
    shape: str,
    as_json: bool,
) -> None:
    """Hand the pairs over to the application, decrypted, and remember that.

    From then on they are the application's: 'migrator refresh' leaves them alone. An export that is
    interrupted hands nothing over.
    """
    if (output is None) is (url is None):
        raise click.UsageError("name a new file with -o FILE, or a table with --to URL")
    if url is not None and shape != "plain":
        raise click.UsageError("a table has columns of its own: --shape goes with files")
    if output is not None and str(output) == "-":
        _check_standard_output(terminal=terminal, as_json=as_json)
    from migrator.commands.make_engine import NO_CALLS, make_engine
    from migrator.handover.export import Choice, Exporter

    destination = _destination(output, url, per)
    settings = context.settings(required=False)
    with context.progress() as progress:
        exporter = Exporter(make_engine(context, settings, progress, calls=NO_CALLS))
        choice = Choice(SHAPES[shape], per_user=per == "user", only_new=since_last)
        handed = exporter.export(destination, choice)
    if as_json:
        print_json(
            {
                "output": destination.name,
                "connections": handed.connections,
                "rows": handed.rows,
                "ended": handed.ended,
            }
        )
    else:
        context.say(
            f"{counted(handed.connections, 'connection')} handed over, {counted(handed.rows, 'row')}:"
            f" {destination.name}"
        )
    if handed.ended:
        context.say(
            f"{counted(handed.ended, 'pair was', 'pairs were')} left out: the refresh token has ended;"
            " 'migrator refresh --all' tells which users must consent again"
        )


def _check_standard_output(*, terminal: bool, as_json: bool) -> None:
    """Raises ``UsageError`` where tokens do not belong on it."""
    if sys.stdout.isatty() and not terminal:
        raise click.UsageError(
            "tokens would be shown on this terminal: name a file with -o FILE, or say --terminal"
        )
    if as_json:
        raise click.UsageError("with -o - the tokens are on standard output: --json has no place there")


def _destination(output: Path | None, url: str | None, per: str) -> Destination:
    from migrator.handover.destinations import NewFile, Stream, Table
    from migrator.sources.sql_connection import DatabaseUrl

    if url is not None:
        return Table(DatabaseUrl.parse(url), key="key" if per == "user" else "connection_id")
    if output is not None and str(output) != "-":
        return NewFile(output)
    return Stream(sys.stdout.buffer)
