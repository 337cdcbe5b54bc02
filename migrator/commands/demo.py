"""``migrator demo``: the whole job against the sandbox."""

from __future__ import annotations

import click

from migrator.errors import ExitCode


@click.command()
@click.pass_context
def demo(context: click.Context) -> None:
    """Show the whole job: dry run, run, a kill in the middle, resume, who must consent, report.

    Everything happens against the embedded sandbox, on this machine, in a new temporary folder.
    """
    from migrator.commands.demo_steps import demonstrate

    context.exit(ExitCode.DONE if demonstrate() else ExitCode.INCOMPLETE)
