"""Pairs that are handed over while they are won: what waits for it, and how long that took.

The outbox is filled by the ledger itself, in the transaction that makes a connection ``migrated``: nothing
that wins a pair can forget it. It stays empty until somebody delivers.
"""

from __future__ import annotations

from sqlite_utils import Database

_STATEMENTS = (
    "ALTER TABLE exports ADD COLUMN delivery_id TEXT",  # by which the receiver knows it; NULL: it is a file
    "ALTER TABLE exports ADD COLUMN delivery INTEGER NOT NULL DEFAULT 0",  # made by 'deliver', not 'export'
    "CREATE INDEX exports_unfinished ON exports (id) WHERE finished_at IS NULL",
    """
    CREATE TABLE receivers (       -- where pairs were ever delivered to
        name TEXT PRIMARY KEY,     -- without a password
        since TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE outbox (          -- connections whose pair is to be delivered
        connection_id INTEGER PRIMARY KEY REFERENCES connections(id),
        pair_id INTEGER NOT NULL REFERENCES token_pairs(id),
        since TEXT NOT NULL,       -- when the pair counted
        tries INTEGER NOT NULL DEFAULT 0,
        not_before TEXT,           -- when it is tried again
        problem TEXT               -- why the receiver refused it the last time
    )
    """,
    "CREATE INDEX outbox_by_age ON outbox (since) WHERE problem IS NULL",
    "CREATE INDEX outbox_refused ON outbox (not_before) WHERE problem IS NOT NULL",
    """
    CREATE TABLE delivery_times (  -- how long deliveries took: in milliseconds, of two figures
        milliseconds INTEGER PRIMARY KEY,
        pairs INTEGER NOT NULL
    )
    """,
    """
    CREATE TRIGGER outbox_filled AFTER UPDATE OF state ON connections
    WHEN NEW.state = 'migrated' AND EXISTS (SELECT 1 FROM receivers)
    BEGIN
        INSERT INTO outbox (connection_id, pair_id, since)
        SELECT NEW.id, p.id, NEW.updated_at FROM token_pairs p
        WHERE p.connection_id = coalesce(NEW.served_by, NEW.id)
              AND p.replaced_at IS NULL AND p.dead_at IS NULL AND p.purged_at IS NULL
              AND NOT EXISTS (
                  SELECT 1 FROM handings h JOIN exports e ON e.id = h.export_id
                  WHERE h.own_pair_id = p.id AND h.connection_id = NEW.id AND e.finished_at IS NOT NULL)
        ON CONFLICT (connection_id) DO UPDATE
        SET pair_id = excluded.pair_id, since = excluded.since, tries = 0, not_before = NULL, problem = NULL
        WHERE outbox.pair_id <> excluded.pair_id;   -- the same pair waits as it did
    END
    """,
    "DROP VIEW problems",
    """
    CREATE VIEW problems AS
    SELECT c.key, c.organisation, c.app_type, c.state, c.reason,
           CASE WHEN o.problem IS NULL THEN a.action ELSE 'deliver' END AS last_action,
           CASE WHEN o.problem IS NULL THEN a.outcome ELSE 'refused' END AS last_outcome,
           CASE WHEN o.problem IS NULL THEN a.http_status END AS last_http_status,
           CASE WHEN o.problem IS NULL THEN a.problem ELSE o.problem END AS last_problem,
           CASE WHEN o.problem IS NULL THEN a.support_id ELSE '' END AS last_support_id,
           c.updated_at
    FROM connections c
    LEFT JOIN attempts a ON a.id = (SELECT max(id) FROM attempts WHERE connection_id = c.id)
    LEFT JOIN outbox o ON o.connection_id = c.id AND o.problem IS NOT NULL
    WHERE c.state IN ('failed', 'uncertain', 'in_flight') OR (c.state = 'migrated' AND c.reason > '')
          OR c.id IN (SELECT connection_id FROM outbox WHERE problem IS NOT NULL)
    ORDER BY c.id
    """,
)


def migrate(db: Database) -> None:
    """Bring a ledger of the version before to this one."""
    for statement in _STATEMENTS:
        db.execute(statement)
