"""``migrator revoke``: undo one connection at the provider."""

from __future__ import annotations

import click

from migrator.commands.options import Context, json_option, pass_context, print_json
from migrator.terminal.printable import printable


@click.command()
@click.argument("key")
@click.option("--shared", is_flag=True, help="Even if the pair stands for other connections of its user too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_context
@click.pass_context
def revoke(
    click_context: click.Context, context: Context, key: str, shared: bool, yes: bool, as_json: bool
) -> None:
    """Undo one connection at the provider: its pair becomes worthless, its user must consent again."""
    from migrator.commands.make_engine import REVOKE_CALLS, make_engine
    from migrator.commands.profiles import profile_of
    from migrator.commands.resume_hint import told_when_to_go_on
    from migrator.handover.revoke import require_revocation
    from migrator.handover.revoke import revoke as revoke_pair
    from migrator.terminal.present import moment_text

    settings = context.settings()
    require_revocation(profile_of(settings))  # before the question, which would be asked for nothing
    if not yes:
        click.confirm(f"Revoke the pair of {printable(key)} at the provider?", abort=True, err=True)
    again = ("revoke", *(["--shared"] if shared else []), "--yes", "--", key)
    with context.progress() as progress, told_when_to_go_on(context, *again):
        revocation = revoke_pair(
            make_engine(context, settings, progress, calls=REVOKE_CALLS), key, shared=shared
        )
    if as_json:
        print_json({"key": key, "revoked": revocation.revoked, "others": list(revocation.served.others)})
    elif revocation.revoked:
        click.echo(f"{printable(key)} is revoked: its user must consent again")
    else:
        click.echo("nobody knows whether it is revoked: do it again", err=True)
    if revocation.served.exported_at is not None:
        context.say(
            f"the pair was handed over {moment_text(revocation.served.exported_at)}: if the application has"
            " refreshed it since, it holds a newer one, which must be revoked there"
        )
    click_context.exit(revocation.ended.exit_code)
