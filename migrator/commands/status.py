"""``migrator status``: where the job stands."""

from __future__ import annotations

import click

from migrator.commands.options import Context, json_option, pass_context, print_json


@click.command()
@json_option
@pass_context
def status(context: Context, as_json: bool) -> None:
    """Say where the job stands. Needs neither key nor configuration, and may be asked while a job runs."""
    from dataclasses import replace

    from migrator.commands.profiles import known_profile
    from migrator.commands.resume_hint import when_to_go_on
    from migrator.ledger.going_back import could_go_back
    from migrator.ledger.reading import open_to_read
    from migrator.ledger.status import one_view, read_status
    from migrator.models import utc_now
    from migrator.rules.going_back import who_could
    from migrator.settings.model import Settings
    from migrator.terminal.present import status_document, status_text

    with open_to_read(context.ledger) as ledger, one_view(ledger):
        facts = read_status(ledger, utc_now())
        profile = known_profile(facts.provider, Settings())  # nobody need be able to read the configuration
        if profile is not None:
            facts = replace(
                facts.with_app_types(tuple(profile.facts.app_types)),
                could_go_back=could_go_back(ledger, who_could(profile.facts, utc_now())),
            )
    if as_json:
        print_json(status_document(facts, context.ledger))
    else:
        going_on = when_to_go_on(context, facts.resume_at, facts.go_on_with) if facts.resume_at else []
        click.echo(status_text(facts, going_on))
