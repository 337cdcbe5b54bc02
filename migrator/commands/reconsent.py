"""``migrator reconsent``: those who must authorise again, why, and how they do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from migrator.commands.options import (
    Context,
    Duration,
    delivery_options,
    json_option,
    pass_context,
    print_json,
    print_json_array,
)
from migrator.commands.web_extra import web_extra

DEFAULT_PORT = 8766

public_url_option = click.option(
    "--public-url",
    required=True,
    metavar="URL",
    help="Where users reach the application: https, with a path if it has one, without /callback.",
)


@click.group()
def reconsent() -> None:
    """Those who must authorise again: who they are, a link for each, and the pages behind the links."""


@reconsent.command("list")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@pass_context
def list_(context: Context, as_json: bool, as_csv: bool) -> None:
    """List who must authorise again, why, and how far they have come.

    Whoever was invited stays in the list: not_invited, invited, opened,
    checking, finished, refused, failed, expired.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    from migrator.ledger import campaign
    from migrator.ledger.reading import open_to_read
    from migrator.ledger.status import one_view
    from migrator.terminal.campaign import campaign_csv, campaign_document, campaign_lines

    with open_to_read(context.ledger) as ledger, one_view(ledger):
        if as_csv:
            for line in campaign_csv(campaign.campaign(ledger)):
                click.echo(line, nl=False)
        elif as_json:
            print_json_array(map(campaign_document, campaign.campaign(ledger)))
        else:
            for line in campaign_lines(lambda: campaign.campaign(ledger)):
                click.echo(line)


@reconsent.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="A new CSV file (mode 0600).",
)
@public_url_option
@click.option(
    "--valid",
    type=Duration(),
    metavar="TIME",
    show_default="30d",
    help="How long links are of use: 30d, 12h, 90m. Given, it lengthens those that would end sooner, too.",
)
@click.option("--excel", is_flag=True, help="Begin the file with the mark by which Excel knows UTF-8.")
@json_option
@pass_context
def links(
    context: Context, output: Path, public_url: str, valid: timedelta | None, excel: bool, as_json: bool
) -> None:
    """Write a personal link for each who must authorise again, for a mail merge.

    Whoever holds a link that is still of use gets the same one again. Rows without a usable address are
    named. A link stands for its connection: keep the file as secret as the mails.
    """
    if valid is not None and not valid:
        raise click.UsageError("--valid must be longer than nothing")
    with web_extra("what serves links and their pages"):
        from migrator.consent.links.mail_merge import write_links
        from migrator.consent.links.validity import Validity
    import logging

    from migrator.commands.make_engine import NO_CALLS, make_engine
    from migrator.consent.links import summary
    from migrator.consent.public_url import parse

    url = parse(public_url)
    settings = context.settings(required=False)
    url.require(settings.oauth2.redirect_uri)
    validity = Validity() if valid is None else Validity(valid, lengthens=True)
    with context.progress() as progress:
        engine = make_engine(context, settings, progress, calls=NO_CALLS)
        invited = write_links(engine, url, validity, output, excel=excel)
    if as_json:
        print_json(summary.document(invited, output))
    else:
        context.say(summary.summary(invited, output))
    for line in summary.remarks(invited, validity, excel=excel):
        context.say(line)
    for line in summary.unreachable(invited):
        logging.getLogger(__name__).warning("%s", line)


@reconsent.command()
@public_url_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0 takes any free one.",
)
@click.option(
    "--behind-proxy",
    type=click.IntRange(0, 9),
    default=0,
    show_default=True,
    metavar="N",
    help="How many reverse proxies stand before it: so many are believed where a request comes from.",
)
@delivery_options
@pass_context
def serve(
    context: Context,
    public_url: str,
    host: str,
    port: int,
    behind_proxy: int,
    receiver: str | None,
    no_deliver: bool,
) -> None:
    """Serve the pages behind the links until SIGTERM or Ctrl-C; what is under way is finished first.

    The provider sends users back to the public URL and /callback, which must be registered there. Other
    commands may run meanwhile, but for 'purge' and 'ledger rekey'.
    """
    with web_extra("what serves links and their pages"):
        from migrator.consent.serve import Address
        from migrator.consent.serve import serve as serve_consents
    from migrator.commands.make_delivery import delivery_beside
    from migrator.commands.make_engine import CONSENT_CALLS, make_engine
    from migrator.consent.public_url import parse

    url = parse(public_url)
    settings = context.settings()
    with (
        context.progress() as progress,
        delivery_beside(settings, progress, receiver, off=no_deliver) as delivery,
    ):
        engine = make_engine(context, settings, progress, calls=CONSENT_CALLS)
        serve_consents(
            engine,
            delivery,
            settings.consent,
            settings.oauth2.redirect_uri,
            Address(host, port, url, behind_proxy),
            on_listening=lambda bound: click.echo(
                f"reconsent: listening on {host} port {bound}, for {url}", err=True
            ),
        )
