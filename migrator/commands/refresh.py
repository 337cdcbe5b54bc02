"""``migrator refresh``: keep stored pairs alive until the application takes them over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from migrator.commands.options import (
    Context,
    Duration,
    delivery_options,
    job_options,
    json_option,
    pass_context,
    print_json,
)
from migrator.wording import counted

if TYPE_CHECKING:
    from migrator.handover.upkeep import UpkeepResult


@click.command()
@click.option(
    "--within",
    type=Duration(),
    metavar="TIME",
    default="7d",
    show_default=True,
    help="Refresh the pairs whose refresh token ends within that time: 7d, 12h, 90m.",
)
@click.option("--all", "everything", is_flag=True, help="Refresh every pair.")
@json_option
@job_options
@delivery_options
@pass_context
@click.pass_context
def refresh(
    click_context: click.Context,
    context: Context,
    within: timedelta,
    everything: bool,
    as_json: bool,
    concurrency: int | None,
    rate: int | None,
    believe_refusals: bool,
    receiver: str | None,
    no_deliver: bool,
) -> None:
    """Keep stored pairs alive until the application takes them over.

    Pairs that were handed over are the application's to refresh, and left alone. From cron: migrator -q
    refresh; it says nothing unless something is wrong.
    """
    given = click_context.get_parameter_source("within")
    if everything and given is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--within and --all exclude each other")
    from migrator.commands.job_terms import with_options
    from migrator.commands.make_delivery import delivery_beside
    from migrator.commands.make_engine import make_engine
    from migrator.commands.resume_hint import told_when_to_go_on
    from migrator.handover.refresh import refresh as refresh_pairs

    settings = with_options(context.settings(), concurrency, rate, believe_refusals=believe_refusals)
    with (
        context.progress() as progress,
        delivery_beside(settings, progress, receiver, off=no_deliver, only_new=True) as delivery,
        told_when_to_go_on(context, "refresh"),
    ):
        engine = make_engine(context, settings, progress)
        kept = refresh_pairs(engine, delivery, within=None if everything else within)
    if as_json:
        print_json(_document(kept))
    else:
        _print(context, kept)
    click_context.exit(kept.ended.exit_code)


def _document(kept: UpkeepResult) -> Mapping[str, object]:
    return {
        "outcome": kept.ended.outcome,
        "refreshed": kept.refreshed,
        "refused": kept.over,
        "open": kept.open,
    }


def _print(context: Context, kept: UpkeepResult) -> None:
    context.say(counted(kept.refreshed, "pair refreshed", "pairs refreshed"))
    if kept.over:
        click.echo(
            counted(kept.over, "was refused: its user", "were refused: their users") + " must consent again",
            err=True,
        )
    if kept.open:
        click.echo(
            f"{counted(kept.open, 'is', 'are')} open: 'migrator refresh' again, or 'migrator resume'",
            err=True,
        )
