"""``migrator report``: the record of the migration, to read or to hand on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.commands.options import Context, pass_context

if TYPE_CHECKING:
    import sqlite3

    from migrator.reports import Facts
    from migrator.settings.model import Settings

ENDINGS = (".html", ".md", ".json", ".csv")
"""Those of ``migrator.reports.FORMATS``, which help must do without: a test compares them."""


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help=f"Where to; its ending tells the format: {', '.join(ENDINGS)}.",
)
@pass_context
def report(context: Context, output: Path) -> None:
    """Write the record of the migration. It holds names and addresses, and no token, secret or key."""
    from migrator.ledger.reading import open_to_read
    from migrator.ledger.status import one_view
    from migrator.output_files import write_file
    from migrator.reports import format_for

    write = format_for(output)
    settings = context.settings(required=False)
    with open_to_read(context.ledger) as ledger, one_view(ledger):
        write_file(output, write(_facts(ledger, settings)))
    context.say(f"wrote {output}")


def _facts(ledger: sqlite3.Connection, settings: Settings) -> Facts:
    from migrator.commands.profiles import known_profile
    from migrator.ledger import lists
    from migrator.ledger.pair_counts import days_of_end
    from migrator.ledger.rejects import listed_rejects
    from migrator.ledger.runs import listed_runs
    from migrator.ledger.status import read_status
    from migrator.models import utc_now
    from migrator.reports import Facts

    now = utc_now()
    status = read_status(ledger, now)
    provider = status.provider or settings.provider
    profile = known_profile(provider, settings)
    return Facts(
        generated_at=now,
        provider=profile.title if profile else provider,
        swapped_types=profile.swapped_types if profile else (),
        status=status.with_app_types(tuple(profile.facts.app_types) if profile else ()),
        runs=list(listed_runs(ledger)),
        deadline=settings.job.deadline,
        connections=lambda: lists.listed(ledger),
        needs_consent=lambda: lists.needs_consent(ledger),
        problems=lambda: lists.problems(ledger),
        rejects=lambda: listed_rejects(ledger),
        days_of_end=lambda: days_of_end(ledger),
    )
