"""``migrator ledger``: looking after the ledger itself."""

from __future__ import annotations

import os
from pathlib import Path

import click

from migrator.commands.options import Context, pass_context
from migrator.errors import LedgerError
from migrator.wording import counted


@click.group()
def ledger() -> None:
    """Look after the ledger itself."""


@ledger.command()
@click.argument("file", type=click.Path(path_type=Path))
@pass_context
def copy(context: Context, file: Path) -> None:
    """Copy the ledger into a new FILE (mode 0600), while a job may run.

    A copy of the ledger's own file alone may lack what is in the -wal file beside it. The key is not copied.
    """
    from migrator.engine.interruption import ended_as_by_ctrl_c
    from migrator.ledger.file import copying
    from migrator.ledger.file.keys import key_path
    from migrator.models import utc_now

    with ended_as_by_ctrl_c():
        copying.copy(context.ledger, file, utc_now())
    click.echo(f"copied to {file}; what happens from now on is not in it")
    click.echo(
        f"whoever opens it for more than names needs the key: {key_path(context.ledger)}, or wherever"
        " you keep it",
        err=True,
    )


@ledger.command()
@pass_context
def rekey(context: Context) -> None:
    """Seal the ledger under a new key, which takes the old one's place.

    It may be interrupted at any moment: the ledger is either under the old key or under the new one.
    """
    from migrator.ledger.file import opening
    from migrator.ledger.file.keys import key_path, require_key
    from migrator.ledger.file.rotation import rotate_key

    settings = context.settings(required=False)
    if not opening.exists(context.ledger):
        raise LedgerError(f"there is no ledger {context.ledger}", hint="name another with --ledger FILE")
    key = require_key(context.ledger, os.environ, settings.ledger_key_file)
    key_file = settings.ledger_key_file or key_path(context.ledger)
    number = rotate_key(context.ledger, key, key_file)
    click.echo(
        f"sealed {counted(number, 'value')} under a new key, which is in {key_file};"
        " keep a copy of it elsewhere"
    )
    click.echo(f"the old key is kept as {key_file.name}.old-…: delete it once no other ledger needs it")
    if os.environ.get("MIGRATOR_LEDGER_KEY"):
        click.echo("MIGRATOR_LEDGER_KEY is the old key: unset it, or set it to the new one", err=True)
