"""Whoever looks for what went wrong finds what the provider's support will ask for."""

from __future__ import annotations

from sqlite_utils import Database

_STATEMENTS = (
    "DROP VIEW problems",
    """
    CREATE VIEW problems AS
    SELECT c.key, c.organisation, c.app_type, c.state, c.reason,
           a.action AS last_action, a.outcome AS last_outcome,
           a.http_status AS last_http_status, a.problem AS last_problem,
           a.support_id AS last_support_id, c.updated_at
    FROM connections c
    LEFT JOIN attempts a ON a.id = (SELECT max(id) FROM attempts WHERE connection_id = c.id)
    WHERE c.state IN ('failed', 'uncertain', 'in_flight') OR (c.state = 'migrated' AND c.reason <> '')
    ORDER BY c.id
    """,
)


def migrate(db: Database) -> None:
    """Bring a ledger of the version before to this one."""
    for statement in _STATEMENTS:
        db.execute(statement)
