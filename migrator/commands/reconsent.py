"""``migrator reconsent``: those who must authorise again, and why."""

from __future__ import annotations

import click

from migrator import ledger as ledgers
from migrator.commands.common import Context, json_option, pass_context, print_json
from migrator.ledger import Listed
from migrator.present import reason_text
from migrator.tabular import csv_lines, table

_COLUMNS = (
    "key",
    "organisation",
    "contact_email",
    "app_type",
    "reason",
    "tenant_id",
    "tenant_type",
    "updated_at",
)


@click.group()
def reconsent() -> None:
    """Those who must authorise again."""


@reconsent.command("list")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, for a mail merge.")
@pass_context
def list_(context: Context, as_json: bool, as_csv: bool) -> None:
    """List who must authorise again, and why."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    with ledgers.open_to_read(context.ledger) as ledger:
        people = ledgers.needs_consent(ledger)
        if as_csv:
            for line in csv_lines(
                _COLUMNS, ([getattr(person, name) for name in _COLUMNS] for person in people)
            ):
                click.echo(line, nl=False)
        elif as_json:
            print_json([{name: getattr(person, name) for name in _COLUMNS} for person in people])
        else:
            _print_table(list(people))


def _print_table(people: list[Listed]) -> None:
    rows = [
        (
            person.key,
            person.organisation,
            person.contact_email,
            person.app_type,
            reason_text(person.reason, person.state),
        )
        for person in people
    ]
    if rows:
        click.echo(table(("key", "organisation", "contact", "app type", "why"), rows))
    click.echo(f"{len(rows):,} must authorise again" if rows else "Nobody must authorise again.")
