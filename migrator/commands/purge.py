"""``migrator purge``: take the tokens of what was handed over out of the ledger."""

from __future__ import annotations

import click

from migrator.commands.options import Context, json_option, pass_context, print_json
from migrator.errors import ExitCode
from migrator.wording import counted


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_context
@click.pass_context
def purge(click_context: click.Context, context: Context, yes: bool, as_json: bool) -> None:
    """Take the tokens of pairs that were handed over out of the ledger for good; the log stays.

    Pairs that were not handed over are kept. The file is overwritten and written anew; what the file system,
    the disk or a backup keeps of it as it was is beyond SQLite's reach.
    """
    from migrator.commands.make_engine import NO_CALLS, make_engine
    from migrator.handover.purge import purge as purge_ledger

    settings = context.settings(required=False)
    if not yes:
        click.confirm(
            "Take the tokens that were handed over out of the ledger for good?", abort=True, err=True
        )
    with context.progress() as progress:
        purged = purge_ledger(make_engine(context, settings, progress, calls=NO_CALLS))
    if as_json:
        print_json({"purged": purged.connections, "kept": purged.kept, "wiped": purged.wiped})
    else:
        click.echo(f"the tokens of {counted(purged.connections, 'connection')} are out of the ledger")
    if purged.kept:
        click.echo(
            counted(purged.kept, "pair was", "pairs were") + " not handed over: the tokens are kept", err=True
        )
    if not purged.wiped:
        click.echo("another program reads the ledger: end it, and purge again, to cut off its log", err=True)
    if purged.kept or not purged.wiped:
        click_context.exit(ExitCode.INCOMPLETE)
