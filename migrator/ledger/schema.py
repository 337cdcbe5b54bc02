"""The ledger's tables and views: numbered migrations (sqlite-utils' ``Migrations``), applied in order.

The stable names are the contract's.
"""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from migrator.errors import LedgerError
from migrator.ledger.migrations import (
    m001_first,
    m002_unreadable_answers,
    m003_handover,
    m004_consent,
    m005_answers_read_again,
    m006_resume_at,
    m007_consents_told,
    m008_pairs_by_attempt,
    m009_any_provider,
    m010_support_ids_told,
    m011_rows_of_less,
    m013_keys_when_full,
)

IN_ORDER = (
    m001_first,
    m002_unreadable_answers,
    m003_handover,
    m004_consent,
    m005_answers_read_again,
    m006_resume_at,
    m007_consents_told,
    m008_pairs_by_attempt,
    m009_any_provider,
    m010_support_ids_told,
    m011_rows_of_less,
    m013_keys_when_full,
)

migrations = Migrations("migrator")
for _module in IN_ORDER:
    migrations(name=_module.__name__.rpartition(".")[2])(_module.migrate)


def prepare(connection: sqlite3.Connection, *, create: bool) -> None:
    """Bring a database to the newest schema.

    Raises ``LedgerError`` for a database that is not a ledger, or a newer one's.
    """
    db = Database(connection)
    _refuse_newer(db)
    applied = migrations.applied(db)
    # A process that died while it made the ledger leaves the list of migrations, empty.
    others = set(db.table_names()) - {migrations.migrations_table}
    if not applied and (not create or others):
        raise LedgerError("this database is not a ledger of migrator", hint="name another file with --ledger")
    migrations.apply(db)


def check(connection: sqlite3.Connection) -> None:
    """Raise ``LedgerError`` unless the database has exactly this version's schema; reads only."""
    db = Database(connection)
    _refuse_newer(db)
    if not migrations.applied(db):
        raise LedgerError("this database is not a ledger of migrator", hint="name another file with --ledger")
    if migrations.pending(db):
        raise LedgerError(
            "this ledger was written by an older version", hint="'migrator resume' brings it up to date"
        )


def _refuse_newer(db: Database) -> None:
    known = {migration.name for migration in migrations._migrations}  # noqa: SLF001 - it has no other list
    if {migration.name for migration in migrations.applied(db)} - known:
        raise LedgerError(
            "this ledger was written by a newer version of migrator",
            hint="upgrade migrator: its schema is unknown to this one",
        )
