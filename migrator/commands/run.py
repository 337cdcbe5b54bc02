"""``migrator run``: read legacy tokens into the ledger and swap what can be swapped."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from migrator.commands.options import (
    Context,
    delivery_options,
    job_options,
    json_option,
    pass_context,
    print_json,
)

if TYPE_CHECKING:
    from migrator.engine.open_run import Ended
    from migrator.engine.swap_run import Scope
    from migrator.ledger.intake import Intake
    from migrator.rules.plan import Forecast, Tally
    from migrator.settings.model import Settings
    from migrator.sources import Source


@click.command()
@click.argument("tokens", nargs=-1, required=True, metavar="TOKENS...")
@click.option("--dry-run", is_flag=True, help="Print the plan; send nothing, write no ledger.")
@json_option
@click.option(
    "--canary",
    type=click.IntRange(min=1),
    metavar="N",
    help="Swap N first, and see each new token reach its tenant.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take on N connections at the most.")
@click.option("--query", metavar="SELECT", help="Read what this query yields, from the one database named.")
@job_options
@delivery_options
@pass_context
@click.pass_context
def run(
    click_context: click.Context,
    context: Context,
    tokens: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    canary: int | None,
    limit: int | None,
    query: str | None,
    concurrency: int | None,
    rate: int | None,
    believe_refusals: bool,
    receiver: str | None,
    no_deliver: bool,
) -> None:
    """Read legacy tokens into the ledger and swap what can be swapped.

    TOKENS are files (CSV, JSON array, JSON lines), tables (legacy.db:table, or
    postgresql://user@host/database?table=tokens), or - for standard input. Running the same file twice
    changes nothing the second time.
    """
    if query is not None and len(tokens) > 1:
        raise click.UsageError("--query goes with the URL of one database, and nothing else")
    from migrator.commands.job_terms import row_rules_of, with_options
    from migrator.sources import open_source

    settings = with_options(
        context.settings(required=not dry_run), concurrency, rate, believe_refusals=believe_refusals
    )
    rules = row_rules_of(settings)
    sources = [open_source(spec, stdin=sys.stdin.buffer, rules=rules, query=query) for spec in tokens]
    if dry_run:
        _dry_run(context, settings, sources, as_json=as_json)
    else:
        from migrator.engine.swap_run import Scope

        ended = _run(
            context, settings, sources, Scope(limit, canary), receiver, no_deliver=no_deliver, as_json=as_json
        )
        click_context.exit(ended.exit_code)


def _run(
    context: Context,
    settings: Settings,
    sources: list[Source],
    scope: Scope,
    receiver: str | None,
    *,
    no_deliver: bool,
    as_json: bool,
) -> Ended:
    from migrator.commands.make_delivery import delivery_beside
    from migrator.commands.make_engine import make_engine
    from migrator.commands.resume_hint import print_end, told_when_to_go_on
    from migrator.engine.swap_run import SwapRun
    from migrator.terminal.present import plan_document, plan_text, status_document

    planned: list[tuple[Tally, Forecast]] = []

    def show_plan(intake: Intake) -> None:
        ahead = _look_ahead(settings, intake.tally)
        planned.append((intake.tally, ahead))
        context.say(plan_text(intake.tally, ahead) + "\n")

    with (
        context.progress() as progress,
        delivery_beside(settings, progress, receiver, off=no_deliver) as delivery,
        told_when_to_go_on(context, "resume"),
    ):
        swap_run = SwapRun(make_engine(context, settings, progress, create=True), delivery)
        ended = swap_run.run(sources, scope, show_plan)
    if as_json:
        document = {**status_document(ended.status, context.ledger), "outcome": ended.outcome}
        document["plan"] = plan_document(*planned[0])
        print_json(document)
    else:
        print_end(context, ended)
    return ended


def _dry_run(context: Context, settings: Settings, sources: list[Source], *, as_json: bool) -> None:
    from migrator.commands.job_terms import row_rules_of
    from migrator.commands.profiles import profile_of
    from migrator.engine.preview import preview
    from migrator.models import utc_now
    from migrator.rules.terms import Terms
    from migrator.terminal.present import plan_document, plan_text

    terms = Terms.of(profile_of(settings).facts)
    with context.progress() as progress:
        progress.start("reading", None)
        tally = preview(
            sources,
            context.ledger,
            settings,
            os.environ,
            terms,
            row_rules_of(settings),
            clock=utc_now,
            progress=progress,
        )
    ahead = _look_ahead(settings, tally)
    if as_json:
        print_json(plan_document(tally, ahead))
    else:
        click.echo(plan_text(tally, ahead))


def _look_ahead(settings: Settings, tally: Tally) -> Forecast:
    from migrator.commands.profiles import profile_of
    from migrator.models import utc_now
    from migrator.rules.plan import forecast

    return forecast(
        tally,
        profile_of(settings),
        utc_now(),
        rate_per_minute=settings.job.rate_per_minute,
        certified=settings.oauth2.certified,
        deadline=settings.job.deadline,
        leave=settings.job.leave,
    )
