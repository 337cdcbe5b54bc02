"""Everything that the first version records."""

from __future__ import annotations

from sqlite_utils import Database

_STATEMENTS = (
    """
    CREATE TABLE meta (
        name TEXT PRIMARY KEY,
        value NOT NULL
    )
    """,
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        command TEXT NOT NULL,
        process INTEGER NOT NULL,
        started_at TEXT NOT NULL,
        finished_at TEXT,
        outcome TEXT,          -- done, incomplete, stopped, interrupted; NULL: under way, or killed
        accepted INTEGER NOT NULL DEFAULT 0,
        known INTEGER NOT NULL DEFAULT 0,
        rejected INTEGER NOT NULL DEFAULT 0,
        sources TEXT NOT NULL DEFAULT ''
    )
    """,
    """
    CREATE TABLE rejects (
        id INTEGER PRIMARY KEY,
        run_id INTEGER NOT NULL REFERENCES runs(id),
        source TEXT NOT NULL,
        line INTEGER NOT NULL,
        reason TEXT NOT NULL,
        detail TEXT NOT NULL,
        UNIQUE (source, line)
    )
    """,
    """
    CREATE TABLE connections (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        provider TEXT NOT NULL,
        app_type TEXT NOT NULL CHECK (app_type IN ('partner', 'public', 'private')),
        organisation TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        tenant_type TEXT NOT NULL,
        contact_email TEXT NOT NULL,
        user_id TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL
            CHECK (state IN ('pending', 'in_flight', 'migrated', 'needs_consent', 'uncertain', 'failed')),
        reason TEXT NOT NULL,
        doubt TEXT,            -- the call of which nobody knows what came
        not_before TEXT,       -- when it may be called for again
        tries INTEGER NOT NULL DEFAULT 0,
        further BLOB,          -- the input's further columns, encrypted: they may hold anything
        row_print BLOB NOT NULL,
        run_id INTEGER NOT NULL REFERENCES runs(id),
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    )
    """,
    "CREATE INDEX connections_by_state ON connections (state, id)",
    "CREATE INDEX connections_open ON connections (id) WHERE state IN ('pending', 'uncertain')",
    """
    CREATE TABLE attempts (
        id INTEGER PRIMARY KEY,
        connection_id INTEGER NOT NULL REFERENCES connections(id),
        run_id INTEGER NOT NULL REFERENCES runs(id),
        action TEXT NOT NULL,
        started_at TEXT NOT NULL,
        finished_at TEXT,
        outcome TEXT,          -- NULL: sent, for all we know, and not answered
        http_status INTEGER,
        problem TEXT
    )
    """,
    "CREATE INDEX attempts_by_connection ON attempts (connection_id)",
    "CREATE INDEX attempts_open ON attempts (id) WHERE outcome IS NULL",
    """
    CREATE TABLE legacy_tokens (
        id INTEGER PRIMARY KEY,
        connection_id INTEGER NOT NULL REFERENCES connections(id),
        generation INTEGER NOT NULL,
        attempt_id INTEGER REFERENCES attempts(id),   -- NULL: from a source
        material BLOB NOT NULL,                       -- token, secret and session handle, encrypted
        token_print BLOB NOT NULL,
        material_print BLOB NOT NULL,
        expires_at TEXT,
        obtained_at TEXT NOT NULL,
        UNIQUE (connection_id, generation)
    )
    """,
    "CREATE INDEX legacy_tokens_by_print ON legacy_tokens (token_print)",
    """
    CREATE TABLE token_pairs (
        id INTEGER PRIMARY KEY,
        connection_id INTEGER NOT NULL REFERENCES connections(id),
        attempt_id INTEGER NOT NULL REFERENCES attempts(id),
        access_token BLOB NOT NULL,                   -- encrypted
        refresh_token BLOB NOT NULL,                  -- encrypted
        scope TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        obtained_at TEXT NOT NULL,
        verified_at TEXT,
        dead_at TEXT,          -- seen not to work any more
        replaced_at TEXT       -- another pair came after it
    )
    """,
    "CREATE INDEX token_pairs_by_connection ON token_pairs (connection_id)",
    """
    CREATE VIEW summary AS
    SELECT app_type, state, reason, count(*) AS connections
    FROM connections GROUP BY app_type, state, reason ORDER BY app_type, state, reason
    """,
    """
    CREATE VIEW needs_consent AS
    SELECT key, organisation, contact_email, app_type, reason, tenant_id, tenant_type, updated_at
    FROM connections WHERE state = 'needs_consent' ORDER BY id
    """,
    """
    CREATE VIEW problems AS
    SELECT c.key, c.organisation, c.app_type, c.state, c.reason,
           a.action AS last_action, a.outcome AS last_outcome,
           a.http_status AS last_http_status, a.problem AS last_problem,
           c.updated_at
    FROM connections c
    LEFT JOIN attempts a ON a.id = (SELECT max(id) FROM attempts WHERE connection_id = c.id)
    WHERE c.state IN ('failed', 'uncertain', 'in_flight') OR (c.state = 'migrated' AND c.reason <> '')
    ORDER BY c.id
    """,
)


def migrate(db: Database) -> None:
    """Make what the first version records."""
    for statement in _STATEMENTS:
        db.execute(statement)
