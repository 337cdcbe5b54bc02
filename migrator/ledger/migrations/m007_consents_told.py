"""What a user's return came to when it came to nothing; and which connections one consent connected."""

from __future__ import annotations

from sqlite_utils import Database

_FIRST_REASON = """
    CASE WHEN reason NOT IN ('response_lost', 'unverified_pair', 'other_tenant_connected',
                             'no_tenant_connected') THEN reason
         WHEN app_type = 'public' THEN 'public_app'
         WHEN app_type = 'private' THEN 'private_app'
         ELSE reason END
"""
"""Why a connection's user was needed before there were mishaps, as far as an older ledger tells."""

_STATEMENTS = (
    "ALTER TABLE invitations ADD COLUMN why TEXT NOT NULL DEFAULT ''",  # the reason to invite, before mishaps
    "ALTER TABLE invitations ADD COLUMN said TEXT",  # the provider's own words to the problem, masked
    "ALTER TABLE invitations ADD COLUMN lost_track INTEGER NOT NULL DEFAULT 0",  # came back without a cookie
    f"""
    UPDATE invitations SET why = (SELECT {_FIRST_REASON} FROM connections WHERE id = connection_id)
    WHERE finished_at IS NULL
    """,  # noqa: S608
    # Whose pair it has, where one consent of a user connected both; NULL: its own, or none.
    "ALTER TABLE connections ADD COLUMN served_by INTEGER REFERENCES connections(id)",
    "CREATE INDEX connections_served ON connections (served_by) WHERE served_by IS NOT NULL",
    "DROP VIEW pairs",
    """
    CREATE VIEW pairs AS
    SELECT c.key, c.organisation, c.tenant_id, p.user_id, p.id AS own_pair,
           coalesce(h.pair_id, p.id) AS stands_for_it,
           p.obtained_at, p.expires_at, p.refresh_expires_at, p.verified_at, e.finished_at AS exported_at,
           p.purged_at
    FROM connections c
    JOIN token_pairs p ON p.connection_id = coalesce(c.served_by, c.id)
                          AND p.dead_at IS NULL AND p.replaced_at IS NULL
    LEFT JOIN exports e ON e.id =
        (SELECT max(e.id) FROM handings h JOIN exports e ON e.id = h.export_id
         WHERE h.own_pair_id = p.id AND h.connection_id = c.id AND e.finished_at IS NOT NULL)
    LEFT JOIN handings h ON h.own_pair_id = p.id AND h.connection_id = c.id AND h.export_id = e.id
    ORDER BY c.id
    """,
    "DROP VIEW invited",
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
           i.outcome, i.problem, i.connected, i.why, i.said, i.lost_track
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
