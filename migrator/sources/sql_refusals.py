"""What a database refuses, in words that quote nothing of what it was given; and who is to blame for it."""

from __future__ import annotations

_TELLING = {1044, 1054, 1142, 1143, 1146, 1290, 1792}
"""MySQL's errors that speak of names and rights, and quote no value."""

_TELLING_CLASSES = ("25", "42")
"""PostgreSQL's error classes of which the same is true: transaction state, syntax or access rule."""

_OF_ROWS = {1366, 1406, 1644, 3819, 4025}
"""MySQL's and MariaDB's errors that are about a row, and that its driver takes for others: a value that does
not fit, a trigger that objects, a check.
"""
_OF_ROWS_CLASSES = ("22", "23", "44", "P0001")
"""PostgreSQL's: data, constraint, check option of a view, a function that objects."""

_OF_SERVER = ("08", "25", "40", "53", "55", "57", "58", "XX", "42P01", "42703")
"""PostgreSQL's that no row is to blame for: connection, transaction, resources, locks, operator, no table."""


def concerns_rows(problem: Exception) -> bool:
    """Whether the database takes no offence but at what it was given: others may come in well."""
    from sqlalchemy.exc import DataError, IntegrityError  # noqa: PLC0415 - needs the extra

    if isinstance(problem, DataError | IntegrityError | UnicodeError):
        return True
    orig = getattr(problem, "orig", None)
    state = getattr(orig, "sqlstate", None) or ""
    code = orig.args[0] if orig is not None and orig.args else None
    return state.startswith(_OF_ROWS_CLASSES) or code in _OF_ROWS


def concerns_server(problem: Exception) -> bool:
    """Whether the database is in trouble, or busy, so that nothing else would come in either."""
    orig = getattr(problem, "orig", None)
    state = getattr(orig, "sqlstate", None) or ""
    busy = getattr(orig, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_FULL", "SQLITE_IOERR"))
    return bool(getattr(problem, "connection_invalidated", False)) or busy or state.startswith(_OF_SERVER)


def refusal(problem: Exception) -> str:
    """What went wrong with a statement, without what it was given: kind, code, and names of the schema."""
    orig = getattr(problem, "orig", None)
    if orig is None:
        return f"failed ({type(problem).__name__})"
    code = orig.args[0] if orig.args and isinstance(orig.args[0], int) else None
    state = getattr(orig, "sqlstate", None) or ""
    diagnosis = getattr(orig, "diag", None)
    if state.startswith(_TELLING_CLASSES) and diagnosis is not None and diagnosis.message_primary:
        return f"refuses: {diagnosis.message_primary} ({state})"
    if code in _TELLING:
        return f"refuses: {orig.args[1]} ({code})"
    facts = [type(orig).__name__, state, getattr(orig, "sqlite_errorname", ""), str(code or "")]
    for fact in ("table_name", "column_name", "constraint_name"):
        value = getattr(diagnosis, fact, None)
        facts.append(f"{fact.partition('_')[0]} {value}" if value else "")
    return f"refuses ({', '.join(filter(None, facts))})"
