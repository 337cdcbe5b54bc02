"""``migrator init``: write a commented configuration."""

from __future__ import annotations

from pathlib import Path

import click

from migrator.commands.options import Context, pass_context
from migrator.errors import ConfigurationError

TEMPLATE = """\
# Configuration of migrator. It holds no secrets: those come from the environment
# (MIGRATOR_CONSUMER_SECRET, MIGRATOR_CLIENT_SECRET, MIGRATOR_LEDGER_KEY) or from
# files of your own that only you can read, named below.

provider = "xero"                   # or x, garmin, tumblr, vimeo, dropbox, intuit, or the path of a profile
                                    # of your own (.toml): 'migrator providers NAME' says what it takes, and
                                    # only what its calls use need be filled in below
base_url = ""                       # replaces scheme and host of every endpoint, e.g. the sandbox's
# ledger_key_file = "ledger.key"    # else <ledger>.key, which 'migrator run' makes

[oauth1]                            # the application whose tokens you hold
consumer_key = ""
signature_method = "HMAC-SHA1"      # or "RSA-SHA1", with private_key_file
# consumer_secret_file = "consumer_secret"
# private_key_file = "privatekey.pem"             # mode 0600; for one with a passphrase:
# private_key_passphrase_file = "passphrase"      # or MIGRATOR_PRIVATE_KEY_PASSPHRASE

# [oauth1.applications.nz]          # another one, whose rows have its key in a column consumer_key
# consumer_key = ""                 # its secret: MIGRATOR_CONSUMER_SECRET_NZ, or
# consumer_secret_file = "consumer_secret_nz"

[oauth2]                            # the application that takes its users over
client_id = ""
# client_secret_file = "client_secret"
# scopes = ["offline_access", "accounting.transactions"]   # Xero's, where offline_access is a must; of
                                    # another provider its own; without any, what it gives unasked
redirect_uri = ""                   # for 'reconsent serve': its --public-url and /callback
certified = true                    # an uncertified application may hold 25 connections

[consent]                           # how 'reconsent serve' names you to those who authorise again
# application = "Your application"
# contact = "support@example.com"
# language = "de"                   # for all pages; else each browser's, of en, de, fr, es, pt
# texts = "texts"                   # your own texts: a folder with de.po, fr.po, ...

[job]
concurrency = 32                    # calls at once, 512 at the most
# rate_per_minute = 600             # calls a minute at the most; else what the provider allows
# leave = "50%"                     # of its limits, for your ordinary traffic where that counts, too
max_attempts = 5                    # fruitless calls for one connection before it is left
timeout = 30                        # seconds that an answer may take
patience = 120                      # seconds of nothing but trouble before the job stops
# deadline = 2026-12-31             # reports say how the job stands against it

[delivery]                          # hand each pair over once it is won
# to = "postgresql://migrator@db.example.com/app?table=pairs"   # or "exec:COMMAND", or "https://…"
# lag = { pairs = 1000, seconds = 60 }      # so many may wait, for so long, before no more are won; or
                                    # "unlimited". Without it: unlimited where legacy tokens live on
# secret_file = "delivery_secret"   # what a webhook's messages are signed with: whsec_…
# batch = 100                       # pairs that one of them holds at the most

[network]                           # where the provider is reached only through a proxy
# proxy = "http://proxy.example.com:3128"   # or http://user@…, with MIGRATOR_PROXY_PASSWORD; or
                                    # "environment", for HTTPS_PROXY and NO_PROXY
# ca_file = "corporate-ca.pem"      # where TLS is inspected: trusted beside the public authorities
"""


@click.command()
@pass_context
def init(context: Context) -> None:
    """Write a commented migrator.toml (or the file that --config names)."""
    from migrator.output_files import write_file

    if _is_there(context.config):
        raise ConfigurationError(
            f"{context.config} is there already", hint="edit it, or name another with --config FILE"
        )
    write_file(context.config, [TEMPLATE])
    click.echo(
        f"wrote {context.config}; fill in the provider and what its calls use, "
        "then 'migrator run TOKENS --dry-run'"
    )


def _is_there(path: Path) -> bool:
    """Whether there is something of that name, as far as can be seen: writing tells the rest."""
    try:
        path.lstat()
    except OSError:
        return False
    return True
