"""``migrator deliver``: hand pairs over while others win them."""

from __future__ import annotations

import click

from migrator.commands.options import Context, json_option, pass_context, print_json
from migrator.wording import counted


@click.command()
@click.option(
    "--to",
    "receiver",
    metavar="TO",
    help="A table (postgresql://…?table=pairs), a program (exec:COMMAND) or a webhook (https://…).",
)
@click.option("--follow", is_flag=True, help="Go on with what jobs win, until Ctrl-C or SIGTERM.")
@json_option
@pass_context
@click.pass_context
def deliver(
    click_context: click.Context, context: Context, receiver: str | None, follow: bool, as_json: bool
) -> None:
    """Hand the pairs over that the application has not got yet.

    With --follow each pair goes over within a second of having been won, while a job works beside it. It
    waits while the receiver takes nothing. After a crash the next one finds out what has arrived.
    """
    from migrator.commands.make_delivery import background_delivery
    from migrator.commands.make_engine import NO_CALLS, make_engine
    from migrator.handover.deliver import deliver as deliver_pairs

    settings = context.settings(required=False)
    with context.progress() as progress, background_delivery(settings, progress, receiver) as delivery:
        engine = make_engine(context, settings, progress, calls=NO_CALLS)
        came = deliver_pairs(engine, delivery, follow=follow)
        name = delivery.receiver.name
    if as_json:
        print_json({"to": name, "delivered": came.pairs, "waiting": came.waiting, "refused": came.refused})
    else:
        context.say(f"{counted(came.pairs, 'pair')} delivered to {name}")
        if came.refused:
            click.echo(
                f"{counted(came.refused, 'was', 'were')} refused: the view problems says why; they are"
                " tried again later",
                err=True,
            )
        if came.waiting > came.refused:
            left = came.waiting - came.refused
            click.echo(f"{counted(left, 'waits', 'wait')} still: 'migrator deliver' goes on", err=True)
    click_context.exit(came.exit_code)
