"""The ledger's tables and views, as numbered migrations (sqlite-utils' ``Migrations``).

The stable names are the contract's.
"""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from migrator.errors import LedgerError
from migrator.ledger import consents_schema

migrations = Migrations("migrator")

_FIRST = (
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


@migrations()
def m001_first(db: Database) -> None:
    """Everything that the first version records."""
    for statement in _FIRST:
        db.execute(statement)


@migrations()
def m002_unreadable_answers(db: Database) -> None:
    """The body of an answer that nobody could read, encrypted: an operator may find a pair in it."""
    db.execute("ALTER TABLE attempts ADD COLUMN answer BLOB")


_HANDOVER = (
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


@migrations()
def m003_handover(db: Database) -> None:
    """What happens to a pair after it was won: seen to work, refreshed, handed over, purged."""
    for statement in _HANDOVER:
        db.execute(statement)


_CONSENT = (
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


@migrations()
def m004_consent(db: Database) -> None:
    """Who was invited to authorise again, and what came of it."""
    for statement in _CONSENT:
        db.execute(statement)


_ANSWERS_READ_AGAIN = (
    "ALTER TABLE token_pairs ADD COLUMN lifetime_assumed INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX attempts_with_answer ON attempts (connection_id) WHERE answer IS NOT NULL",
)


@migrations()
def m005_answers_read_again(db: Database) -> None:
    """Answers that were not understood are looked through again; what a pair's answer did not say."""
    for statement in _ANSWERS_READ_AGAIN:
        db.execute(statement)


@migrations()
def m006_resume_at(db: Database) -> None:
    """When the provider lets the job go on that it has stopped."""
    db.execute("ALTER TABLE runs ADD COLUMN resume_at TEXT")


@migrations()
def m007_consents_told(db: Database) -> None:
    """What a user's return came to when it came to nothing; and which connections one consent connected."""
    for statement in consents_schema.TOLD:
        db.execute(statement)


def prepare(connection: sqlite3.Connection, *, create: bool) -> None:
    """Bring a database to the newest schema.

    Raises ``LedgerError`` for a database that is not a ledger, or a newer one's.
    """
    db = Database(connection)
    _refuse_newer(db)
    applied = migrations.applied(db)
    # A process that died while it made the ledger leaves the list of migrations, empty.
    others = set(db.table_names()) - {migrations.migrations_table}
    if not applied and (not create or others):
        raise LedgerError("this database is not a ledger of migrator", hint="name another file with --ledger")
    migrations.apply(db)


def check(connection: sqlite3.Connection) -> None:
    """Raise ``LedgerError`` unless the database has exactly this version's schema; reads only."""
    db = Database(connection)
    _refuse_newer(db)
    if not migrations.applied(db):
        raise LedgerError("this database is not a ledger of migrator", hint="name another file with --ledger")
    if migrations.pending(db):
        raise LedgerError(
            "this ledger was written by an older version", hint="'migrator resume' brings it up to date"
        )


def _refuse_newer(db: Database) -> None:
    known = {migration.name for migration in migrations._migrations}  # noqa: SLF001 - it has no other list
    if {migration.name for migration in migrations.applied(db)} - known:
        raise LedgerError(
            "this ledger was written by a newer version of migrator",
            hint="upgrade migrator: its schema is unknown to this one",
        )
