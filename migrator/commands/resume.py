"""``migrator resume``: go on from the ledger alone, after a stop of any kind."""

from __future__ import annotations

import click

from migrator.commands.options import (
    Context,
    delivery_options,
    job_options,
    json_option,
    pass_context,
    print_json,
)


@click.command()
@click.option("--retry-failed", is_flag=True, help="Try again what failed, too.")
@json_option
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take on N connections at the most.")
@job_options
@delivery_options
@pass_context
@click.pass_context
def resume(
    click_context: click.Context,
    context: Context,
    retry_failed: bool,
    as_json: bool,
    limit: int | None,
    concurrency: int | None,
    rate: int | None,
    believe_refusals: bool,
    receiver: str | None,
    no_deliver: bool,
) -> None:
    """Go on from the ledger alone, after a stop of any kind.

    What is uncertain is asked again, once any call that got lost must be over.
    """
    from migrator.commands.job_terms import with_options
    from migrator.commands.make_delivery import delivery_beside
    from migrator.commands.make_engine import make_engine
    from migrator.commands.resume_hint import print_end, told_when_to_go_on
    from migrator.engine.swap_run import Scope, SwapRun
    from migrator.terminal.present import status_document

    settings = with_options(context.settings(), concurrency, rate, believe_refusals=believe_refusals)
    with (
        context.progress() as progress,
        delivery_beside(settings, progress, receiver, off=no_deliver) as delivery,
        told_when_to_go_on(context, "resume"),
    ):
        swap_run = SwapRun(make_engine(context, settings, progress), delivery)
        ended = swap_run.resume(Scope(limit), retry_failed=retry_failed)
    if as_json:
        print_json({**status_document(ended.status, context.ledger), "outcome": ended.outcome})
    else:
        print_end(context, ended)
    click_context.exit(ended.exit_code)
