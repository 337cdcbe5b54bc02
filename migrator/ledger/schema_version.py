"""Which version's schema a database has, told by the migrations that it has run. Reads only.

Whoever reads a ledger needs no more than their names, which are those of their files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Set as AbstractSet
from pkgutil import iter_modules

from migrator.errors import LedgerError
from migrator.ledger import migrations

MIGRATIONS = "migrator"
"""The name of our migrations in a list that may have others'."""
_LIST = "_sqlite_migrations"


def check(db: sqlite3.Connection) -> None:
    """Raise ``LedgerError`` unless the database has exactly this version's schema."""
    refuse_newer(db)
    applied = _applied(db)
    if not applied:
        raise no_ledger()
    if _known() - applied:
        raise LedgerError(
            "this ledger was written by an older version", hint="'migrator resume' brings it up to date"
        )


def is_newest(db: sqlite3.Connection) -> bool:
    """Whether nothing needs to be migrated; raises ``LedgerError`` for a newer version's ledger."""
    refuse_newer(db)
    return _applied(db) == _known()


def refuse_newer(db: sqlite3.Connection) -> None:
    """Raise ``LedgerError`` for a ledger that has run migrations which this version does not know."""
    if _applied(db) - _known():
        raise LedgerError(
            "this ledger was written by a newer version of migrator",
            hint="upgrade migrator: its schema is unknown to this one",
        )


def no_ledger() -> LedgerError:
    """What to say of another program's database."""
    return LedgerError("this database is not a ledger of migrator", hint="name another file with --ledger")


def _known() -> AbstractSet[str]:
    return {module.name for module in iter_modules(migrations.__path__)}


def _applied(db: sqlite3.Connection) -> AbstractSet[str]:
    if not db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", [_LIST]).fetchone():
        return set()
    rows = db.execute(f"SELECT name FROM {_LIST} WHERE migration_set = ?", [MIGRATIONS])  # noqa: S608
    return {name for (name,) in rows}
