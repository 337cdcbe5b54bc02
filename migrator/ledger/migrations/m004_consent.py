"""Who was invited to authorise again, and what came of it."""

from __future__ import annotations

from sqlite_utils import Database

_STATEMENTS = (
    """
    CREATE TABLE invitations (
        id TEXT PRIMARY KEY,       -- random; what a link's token signs
        connection_id INTEGER NOT NULL REFERENCES connections(id),
        run_id INTEGER NOT NULL REFERENCES runs(id),
        created_at TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        opened_at TEXT,
        finished_at TEXT,          -- what was asked for is connected
        refused_at TEXT,           -- the user said no, the last time at
        outcome TEXT,              -- of the last time: connected, unverified, refused, other_tenant, …
        problem TEXT,              -- what the provider said, as a short stable word
        connected TEXT,            -- the names of what was connected, as JSON
        tenants TEXT               -- and the ids
    )
    """,
    "CREATE INDEX invitations_by_connection ON invitations (connection_id, created_at)",
    """
    CREATE TABLE consents (        -- one row a user who came back from the provider
        state_sha256 TEXT PRIMARY KEY,
        invitation_id TEXT NOT NULL REFERENCES invitations(id),
        attempt_id INTEGER REFERENCES attempts(id),   -- NULL: without a code
        used_at TEXT NOT NULL
    )
    """,
    """
    CREATE VIEW invited AS
    SELECT c.key, c.organisation, c.contact_email, c.state, c.reason,
           CASE
               WHEN i.id IS NULL THEN 'not_invited'
               WHEN i.finished_at IS NOT NULL AND c.state <> 'needs_consent' THEN 'finished'
               WHEN i.outcome = 'unverified' AND c.state = 'uncertain' THEN 'checking'
               WHEN i.outcome = 'unverified' AND c.state <> 'needs_consent' THEN 'finished'
               WHEN i.finished_at IS NOT NULL THEN 'not_invited'   -- and needs consent again
               WHEN i.expires_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now') THEN 'expired'
               WHEN i.outcome = 'refused' THEN 'refused'
               WHEN i.outcome IS NOT NULL THEN 'failed'
               WHEN i.opened_at IS NOT NULL THEN 'opened'
               ELSE 'invited'
           END AS invitation,
           i.created_at AS invited_at, i.expires_at, i.opened_at, i.finished_at, i.refused_at,
           i.outcome, i.problem, i.connected
    FROM connections c
    LEFT JOIN invitations i ON i.id =
        (SELECT id FROM invitations WHERE connection_id = c.id
         ORDER BY finished_at IS NULL
                  OR 'needs_consent' = (SELECT state FROM connections WHERE id = connection_id),
                  created_at DESC LIMIT 1)
    WHERE c.state = 'needs_consent' OR i.id IS NOT NULL
    ORDER BY c.id
    """,
)


def migrate(db: Database) -> None:
    """Bring a ledger of the version before to this one."""
    for statement in _STATEMENTS:
        db.execute(statement)
