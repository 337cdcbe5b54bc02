"""What happens to a pair after it was won: seen to work, refreshed, handed over, purged."""

from __future__ import annotations

from sqlite_utils import Database

_STATEMENTS = (
    "ALTER TABLE token_pairs ADD COLUMN refresh_expires_at TEXT",
    "ALTER TABLE token_pairs ADD COLUMN reached TEXT",  # the tenants it was seen to reach, as JSON
    "ALTER TABLE token_pairs ADD COLUMN purged_at TEXT",  # its tokens are gone
    "ALTER TABLE legacy_tokens ADD COLUMN purged_at TEXT",
    # A ledger of this age knows one provider, whose refresh tokens end after 30 days.
    """
    UPDATE token_pairs
    SET refresh_expires_at = strftime('%Y-%m-%dT%H:%M:%S.000000Z', obtained_at, '+30 days')
    """,
    """
    CREATE TABLE exports (
        id INTEGER PRIMARY KEY,
        run_id INTEGER NOT NULL REFERENCES runs(id),
        target TEXT NOT NULL,      -- a file, a database without its password, or - for standard output
        part TEXT,                 -- the file under which a file is written before it gets its name
        sha256 TEXT,               -- of that file, once it is whole
        started_at TEXT NOT NULL,
        finished_at TEXT           -- NULL: under way, or its process died; what it took may be handed over
    )
    """,
    """
    CREATE TABLE handings (        -- which connections an export takes, and which pair stands for each
        export_id INTEGER NOT NULL REFERENCES exports(id),
        connection_id INTEGER NOT NULL REFERENCES connections(id),
        own_pair_id INTEGER NOT NULL REFERENCES token_pairs(id),
        pair_id INTEGER NOT NULL REFERENCES token_pairs(id),
        PRIMARY KEY (export_id, connection_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX handings_by_own_pair ON handings (own_pair_id)",
    "CREATE INDEX handings_by_pair ON handings (export_id, pair_id)",
    """
    CREATE VIEW pairs AS
    SELECT c.key, c.organisation, c.tenant_id, p.user_id, p.id AS own_pair,
           coalesce(h.pair_id, p.id) AS stands_for_it,
           p.obtained_at, p.expires_at, p.refresh_expires_at, p.verified_at, e.finished_at AS exported_at,
           p.purged_at
    FROM connections c
    JOIN token_pairs p ON p.connection_id = c.id AND p.dead_at IS NULL AND p.replaced_at IS NULL
    LEFT JOIN exports e ON e.id =
        (SELECT max(e.id) FROM handings h JOIN exports e ON e.id = h.export_id
         WHERE h.own_pair_id = p.id AND e.finished_at IS NOT NULL)
    LEFT JOIN handings h ON h.own_pair_id = p.id AND h.export_id = e.id
    ORDER BY c.id
    """,
    """
    CREATE VIEW users AS
    SELECT user_id, count(*) AS connections, count(DISTINCT stands_for_it) AS pairs,
           group_concat(organisation, '; ') AS organisations
    FROM pairs WHERE user_id <> '' GROUP BY user_id ORDER BY count(*) DESC, user_id
    """,
)


def migrate(db: Database) -> None:
    """Bring a ledger of the version before to this one."""
    for statement in _STATEMENTS:
        db.execute(statement)
