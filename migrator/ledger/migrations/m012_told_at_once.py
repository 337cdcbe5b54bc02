"""A ledger of a million connections is told of at once: what is counted and listed stands in indexes.

- Where connections stand, and why: in the place of their index by state. What went wrong is found in it, too.
- Whether a pair stands for its connection: in the index that it is found by.
- Whose the standing pairs are, and when they end; which were seen to work, which another one stands for.
- Which calls the provider's support can be asked about.
- Calls that were no swaps. Of swaps there are as many as there are calls beside those: they pay for nothing.
"""

from __future__ import annotations

from sqlite_utils import Database

_STATEMENTS = (
    "DROP INDEX connections_by_state",
    "CREATE INDEX connections_by_state ON connections (state, reason, app_type)",
    "CREATE INDEX connections_tried ON connections (id) WHERE tries > 0",
    "CREATE INDEX attempts_other_than_swaps ON attempts (action) WHERE action <> 'swap'",
    """
    CREATE INDEX attempts_with_support_id ON attempts (connection_id)
    WHERE support_id <> '' AND outcome <> 'done'
    """,
    "DROP INDEX token_pairs_by_connection",
    """
    CREATE INDEX token_pairs_by_connection
    ON token_pairs (connection_id, replaced_at, dead_at, purged_at)
    """,
    """
    CREATE INDEX token_pairs_by_user ON token_pairs (user_id)
    WHERE replaced_at IS NULL AND dead_at IS NULL
    """,
    """
    CREATE INDEX token_pairs_by_end ON token_pairs (refresh_expires_at, connection_id)
    WHERE replaced_at IS NULL AND dead_at IS NULL
    """,
    """
    CREATE INDEX token_pairs_verified ON token_pairs (connection_id)
    WHERE verified_at IS NOT NULL AND replaced_at IS NULL AND dead_at IS NULL
    """,
    "CREATE INDEX handings_of_another_pair ON handings (own_pair_id) WHERE pair_id <> own_pair_id",
    "DROP VIEW problems",
    """
    CREATE VIEW problems AS
    SELECT c.key, c.organisation, c.app_type, c.state, c.reason,
           a.action AS last_action, a.outcome AS last_outcome,
           a.http_status AS last_http_status, a.problem AS last_problem,
           a.support_id AS last_support_id, c.updated_at
    FROM connections c
    LEFT JOIN attempts a ON a.id = (SELECT max(id) FROM attempts WHERE connection_id = c.id)
    WHERE c.state IN ('failed', 'uncertain', 'in_flight') OR (c.state = 'migrated' AND c.reason > '')
    ORDER BY c.id
    """,
)


def migrate(db: Database) -> None:
    """Bring a ledger of the version before to this one."""
    for statement in _STATEMENTS:
        db.execute(statement)
