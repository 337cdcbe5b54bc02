"""``migrator providers``: the built-in profiles and what each promises."""

from __future__ import annotations

import click


@click.command()
@click.argument("name", required=False)
def providers(name: str | None) -> None:
    """List the built-in providers, or say what one promises."""
    from migrator.providers import PROFILES, find_profile
    from migrator.terminal.tables import table

    if name is None:
        click.echo(table(("name", "provider"), [(key, find_profile(key).title) for key in PROFILES]))
        return
    click.echo(table((find_profile(name).title, ""), find_profile(name).promises.items()))
