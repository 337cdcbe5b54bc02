"""One file a command: parse, wire up, call, print. Adding a command is one file and one line here."""

from migrator.commands.demo import demo
from migrator.commands.export import export
from migrator.commands.init import init
from migrator.commands.ledger import ledger
from migrator.commands.providers import providers
from migrator.commands.purge import purge
from migrator.commands.reconsent import reconsent
from migrator.commands.refresh import refresh
from migrator.commands.report import report
from migrator.commands.resume import resume
from migrator.commands.revoke import revoke
from migrator.commands.run import run
from migrator.commands.sandbox import sandbox
from migrator.commands.status import status
from migrator.commands.verify import verify

COMMANDS = (
    init, run, resume, status, report, verify, refresh, export, purge, revoke, reconsent, ledger, sandbox,
    providers, demo,
)  # fmt: skip
"""In the order of a migration, which is that of ``--help``."""

__all__ = ["COMMANDS"]
