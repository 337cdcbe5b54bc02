"""``migrator verify``: see each stored pair work, and reach what the legacy row said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from migrator.commands.options import Context, job_options, json_option, pass_context, print_json
from migrator.wording import counted

if TYPE_CHECKING:
    from migrator.handover.upkeep import UpkeepResult


@click.command()
@click.option(
    "--all",
    "again",
    is_flag=True,
    help="Ask for every pair: those seen to work before, too, and where each question is billed.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help="Ask for N pairs at the most; 100 where each question is billed.",
)
@json_option
@job_options
@pass_context
@click.pass_context
def verify(
    click_context: click.Context,
    context: Context,
    again: bool,
    sample: int | None,
    as_json: bool,
    concurrency: int | None,
    rate: int | None,
    believe_refusals: bool,
) -> None:
    """Ask the provider, with each new access token, what it reaches, and compare.

    An access token that has ended is refreshed first. Pairs that were handed over are left alone.
    """
    from migrator.commands.job_terms import with_options
    from migrator.commands.make_engine import make_engine
    from migrator.commands.resume_hint import told_when_to_go_on
    from migrator.handover.verify import verify as verify_pairs

    settings = with_options(context.settings(), concurrency, rate, believe_refusals=believe_refusals)
    with context.progress() as progress, told_when_to_go_on(context, "verify"):
        kept = verify_pairs(make_engine(context, settings, progress), again=again, sample=sample)
    if as_json:
        print_json(_document(kept))
    else:
        _print(kept)
    click_context.exit(kept.ended.exit_code)


def _document(kept: UpkeepResult) -> Mapping[str, object]:
    return {
        "outcome": kept.ended.outcome,
        "verified": kept.verified,
        "refreshed": kept.refreshed,
        "refused": kept.over,
        "open": kept.open,
        "not_asked": kept.not_asked,
        "mismatches": [asdict(finding) for finding in kept.findings],
    }


def _print(kept: UpkeepResult) -> None:
    from migrator.models import SCOPE_MISSING
    from migrator.terminal.present import reason_text
    from migrator.terminal.tables import table

    tenants = any(finding.tenant_id or finding.reached for finding in kept.findings)
    if tenants:
        rows = [
            (f.key, f.organisation, f.tenant_id, reason_text(f.reason), ", ".join(f.reached) or "nothing")
            for f in kept.findings
        ]
        click.echo(table(("key", "organisation", "tenant", "why", "reached"), rows))
    elif kept.findings:
        told = [(finding.key, finding.organisation, reason_text(finding.reason)) for finding in kept.findings]
        click.echo(table(("key", "organisation", "why"), told))
    if kept.not_asked:
        click.echo(f"a sample: {counted(kept.not_asked, 'pair')} more were not asked for; --all asks for all")
    less = sum(finding.reason == SCOPE_MISSING for finding in kept.findings)
    misses = len(kept.findings) - less
    said = [
        f"{counted(kept.verified, 'pair')} verified",
        counted(misses, "does not reach what it should", "do not reach what they should"),
    ]
    if less:
        granted = ("was granted less than it should be", "were granted less than they should be")
        said.append(counted(less, *granted))
    click.echo(", ".join(said))
    if kept.over:
        click.echo(
            f"{counted(kept.over, 'was', 'were')} refused:"
            " see the view problems, and 'migrator reconsent list'"
        )
    if kept.open:
        click.echo(f"{counted(kept.open, 'is', 'are')} open: run 'migrator verify' again", err=True)
