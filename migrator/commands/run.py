"""``migrator run``: read legacy tokens into the ledger and swap what can be swapped."""

from __future__ import annotations

import os
import sys

import click

from migrator.commands.going_on import told_when_to_go_on, when_to_go_on
from migrator.commands.options import (
    Context,
    job_options,
    json_option,
    make_engine,
    pass_context,
    print_json,
    profile_of,
    with_options,
)
from migrator.engine.preview import preview
from migrator.engine.run import Ended
from migrator.engine.runner import Runner, Scope
from migrator.ledger import Intake
from migrator.models import State, utc_now
from migrator.rules.plan import Forecast, Tally, forecast
from migrator.settings.model import Settings
from migrator.sources import Source, open_source
from migrator.terminal.present import plan_document, plan_text, status_document, status_text


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
) -> None:
    """Read legacy tokens into the ledger and swap what can be swapped.

    TOKENS are files (CSV, JSON array, JSON lines), tables (legacy.db:table, or
    postgresql://user@host/database?table=tokens), or - for standard input. Running the same file twice
    changes nothing the second time.
    """
    if query is not None and len(tokens) > 1:
        raise click.UsageError("--query goes with the URL of one database, and nothing else")
    settings = with_options(
        context.settings(required=not dry_run), concurrency, rate, believe_refusals=believe_refusals
    )
    sources = [open_source(spec, stdin=sys.stdin.buffer, query=query) for spec in tokens]
    if dry_run:
        _dry_run(context, settings, sources, as_json=as_json)
        return
    planned: list[tuple[Tally, Forecast]] = []

    def show_plan(intake: Intake) -> None:
        ahead = _look_ahead(settings, intake.tally)
        planned.append((intake.tally, ahead))
        context.say(plan_text(intake.tally, ahead) + "\n")

    with context.progress() as progress, told_when_to_go_on(context, "resume"):
        runner = Runner(make_engine(context, settings, progress, create=True))
        ended = runner.run(sources, Scope(limit, canary), show_plan)
    if as_json:
        document = {**status_document(ended.status, context.ledger), "outcome": ended.outcome}
        document["plan"] = plan_document(*planned[0])
        print_json(document)
    else:
        print_end(context, ended)
    click_context.exit(ended.exit_code)


def print_end(context: Context, ended: Ended) -> None:
    """How a run ended, and how to go on."""
    status = ended.status
    click.echo(status_text(status))
    left, failed = status.states[State.PENDING], status.states[State.FAILED]
    if ended.outcome == "interrupted":
        click.echo("interrupted: 'migrator resume' goes on", err=True)
    elif ended.outcome == "incomplete" and failed:
        click.echo(
            "not complete: 'migrator resume' asks again, with --retry-failed for what failed too", err=True
        )
    elif ended.outcome == "incomplete":
        click.echo("not complete: 'migrator resume' asks again", err=True)
    elif left:
        click.echo(f"{left:,} left for later: 'migrator resume' goes on", err=True)
    if status.resume_at is not None:
        click.echo("\n".join(when_to_go_on(context, status.resume_at, "resume")), err=True)


def _dry_run(context: Context, settings: Settings, sources: list[Source], *, as_json: bool) -> None:
    with context.progress() as progress:
        progress.start("reading", None)
        tally = preview(sources, context.ledger, settings, os.environ, clock=utc_now, progress=progress)
    ahead = _look_ahead(settings, tally)
    if as_json:
        print_json(plan_document(tally, ahead))
    else:
        click.echo(plan_text(tally, ahead))


def _look_ahead(settings: Settings, tally: Tally) -> Forecast:
    return forecast(
        tally,
        profile_of(settings),
        utc_now(),
        rate_per_minute=settings.job.rate_per_minute,
        certified=settings.oauth2.certified,
        deadline=settings.job.deadline,
    )
