"""The ledger's tables and views: numbered migrations (sqlite-utils' ``Migrations``), applied in order.

The stable names are the contract's.
"""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

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
    m012_told_at_once,
    m013_keys_when_full,
    m014_deliveries,
)
from migrator.ledger.schema_version import MIGRATIONS, check, no_ledger, refuse_newer

__all__ = ["IN_ORDER", "check", "migrations", "prepare"]

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
    m012_told_at_once,
    m013_keys_when_full,
    m014_deliveries,
)

migrations = Migrations(MIGRATIONS)
for _module in IN_ORDER:
    migrations(name=_module.__name__.rpartition(".")[2])(_module.migrate)


def prepare(connection: sqlite3.Connection, *, create: bool) -> None:
    """Bring a database to the newest schema.

    Raises ``LedgerError`` for a database that is not a ledger, or a newer one's.
    """
    refuse_newer(connection)
    db = Database(connection)
    applied = migrations.applied(db)
    # A process that died while it made the ledger leaves the list of migrations, empty.
    others = set(db.table_names()) - {migrations.migrations_table}
    if not applied and (not create or others):
        raise no_ledger()
    migrations.apply(db)
