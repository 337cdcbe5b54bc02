"""The state file: what the provider knows, in SQLite, so that it survives a restart and a kill.

One lock and one connection a process for writing, ``BEGIN IMMEDIATE`` against other processes. A test double
may keep tokens in the clear; the file is its owner's alone.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from migrator.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

APPLICATION_ID = 0x53424F58
"""``PRAGMA application_id`` of a state file: "SBOX"."""
SCHEMA_VERSION = 4
BUSY_SECONDS = 30.0
"""How long a writer waits for one in another process."""
CACHE_KIB = 65536

SCHEMA = """
-- The provider that is played, and the credentials of the application there.
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE redirect_uris (id INTEGER PRIMARY KEY, uri TEXT NOT NULL UNIQUE);

-- Who can log in.
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT UNIQUE COLLATE NOCASE   -- NULL: nobody knows how to log in as this one
) WITHOUT ROWID;

-- One row a tenant that a user owns, connected to the application's OAuth 2.0 side or not.
CREATE TABLE organisations (
    id INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    tenant_id TEXT NOT NULL COLLATE NOCASE,
    tenant_type TEXT NOT NULL,
    tenant_name TEXT NOT NULL,
    oauth2_id TEXT,                    -- its id in GET /connections, while it is connected
    auth_event_id TEXT,                -- the consent that connected it; NULL: a swap did
    connected_at REAL,
    updated_at REAL,
    disconnections INTEGER NOT NULL DEFAULT 0,
    UNIQUE (user_id, tenant_id)
);
CREATE INDEX organisations_by_tenant ON organisations (tenant_id);

-- One row a legacy connection: one tenant that one user opened to one type of application. Where a provider
-- has no tenants, a user is the user's own; where it has no application types, the type is empty.
CREATE TABLE connections (
    id INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL COLLATE NOCASE,
    app_type TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    authorised_until REAL,             -- end of the user's grant, where it is renewed under one
    renewals INTEGER NOT NULL DEFAULT 0,
    swaps INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant_id, app_type)
);

CREATE TABLE oauth1_tokens (
    token TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    session_handle TEXT,               -- where tokens are renewed by one
    connection_id INTEGER NOT NULL REFERENCES connections (id),
    expires_at REAL,                   -- NULL: never
    permission TEXT NOT NULL DEFAULT '',  -- what it may do, in the provider's own words
    consumer_key TEXT NOT NULL DEFAULT '',  -- of the other application that it is of; empty: it is ours
    alive INTEGER NOT NULL DEFAULT 1   -- 0: renewed away, or killed by its swap
) WITHOUT ROWID;
CREATE INDEX oauth1_tokens_by_connection ON oauth1_tokens (connection_id);

-- What a user is asked to turn into an access token.
CREATE TABLE request_tokens (
    token TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    consumer_key TEXT NOT NULL,
    callback TEXT NOT NULL,            -- a URL, or oob
    expires_at REAL NOT NULL,
    verdict TEXT,                      -- allowed, refused, used; NULL: the user has not said
    verifier TEXT,                     -- once allowed, as are the next two
    user_id TEXT REFERENCES users (id),
    tenant_id TEXT
) WITHOUT ROWID;

CREATE TABLE nonces (
    timestamp INTEGER NOT NULL,
    consumer_key TEXT NOT NULL,
    token TEXT NOT NULL,
    nonce TEXT NOT NULL,
    PRIMARY KEY (timestamp, consumer_key, token, nonce)
) WITHOUT ROWID;

-- One row an access token with its refresh token; the access token itself is known by its hash, and a signed
-- one by its jti.
CREATE TABLE pairs (
    id INTEGER PRIMARY KEY,            -- a later one is greater
    grant_id INTEGER NOT NULL,         -- id of the pair whose swap or consent opened the grant
    connection_id INTEGER REFERENCES connections (id),  -- that was swapped; NULL: it was won by a consent
    user_id TEXT NOT NULL REFERENCES users (id),
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    auth_event_id TEXT NOT NULL,
    auth_time REAL NOT NULL,
    jti TEXT UNIQUE,                   -- NULL: the access token is opaque
    access_sha256 TEXT,                -- NULL until it is signed
    access_expires_at REAL,            -- NULL: never
    refresh_token TEXT,                -- NULL: there is none; a later pair of the grant may have the same
    refresh_issued_at REAL NOT NULL,   -- when this refresh token was new
    refresh_expires_at REAL,           -- NULL: never
    refresh_used_at REAL,              -- of its first use
    ended TEXT                         -- why neither of the two works any more; NULL: neither was ended
);
CREATE INDEX pairs_by_connection ON pairs (connection_id);
CREATE INDEX pairs_by_grant ON pairs (grant_id);
CREATE INDEX pairs_by_user ON pairs (user_id);
CREATE INDEX pairs_by_access_token ON pairs (access_sha256);
CREATE INDEX pairs_by_refresh_token ON pairs (refresh_token);

-- Log-ins; the browser has the id in a cookie.
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    logged_in_at REAL NOT NULL
) WITHOUT ROWID;

-- Authorisation codes: consents that a client may turn into a pair.
CREATE TABLE codes (
    code TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge TEXT,                    -- PKCE, S256
    scope TEXT NOT NULL,
    nonce TEXT,                        -- for the id token
    user_id TEXT NOT NULL REFERENCES users (id),
    auth_event_id TEXT NOT NULL,
    auth_time REAL NOT NULL,
    tenant_ids TEXT NOT NULL,          -- a JSON array
    expires_at REAL NOT NULL,
    grant_id INTEGER                   -- that it opened; NULL: it was not used
) WITHOUT ROWID;

-- The tenants that the consent behind a grant was about.
CREATE TABLE consents (
    grant_id INTEGER NOT NULL,
    tenant_id TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (grant_id, tenant_id)
) WITHOUT ROWID;
CREATE INDEX consents_by_tenant ON consents (tenant_id);

-- One row: by how many seconds the clock was moved on.
CREATE TABLE clock (advanced REAL NOT NULL);
INSERT INTO clock VALUES (0);

CREATE TABLE counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
"""


class State:
    """An open state file. Safe for many threads; other processes may have it open too."""

    def __init__(self, path: Path) -> None:
        """Open the state at ``path``, which must exist; raises ``SandboxError`` if it is none."""
        if not path.is_file():
            raise SandboxError(f"there is no sandbox state at {path}; name it with --state")
        self.path = path
        self._lock = threading.Lock()
        self._writer = _connect(path)
        try:
            _check_is_ours(self._writer, path)
            # What is committed survives a kill of the process; a test double need not survive a power cut.
            self._writer.execute("PRAGMA synchronous = OFF")
            # Keys are random: in the default cache of 2 MB, pages of a million would come and go for ever.
            self._writer.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        except BaseException:
            self._writer.close()
            raise

    @classmethod
    def create_if_missing(cls, path: Path, furnish: Callable[[sqlite3.Connection], None]) -> State:
        """Open the state at ``path``; if there is none, make one that ``furnish`` completes.

        A new state appears under its name only when it is whole, so that of two processes that create it at
        the same time one wins and both see the same.
        """
        leftover = path.with_name(f"{path.name}-wal")
        left_over = (
            leftover.exists()
        )  # asked first: a state that is being created is linked before it has one
        if not path.exists():
            if left_over:
                raise SandboxError(
                    f"{leftover} is left over from a deleted state and would spoil a new one: remove it"
                )
            try:
                _create(path, furnish)
            except OSError as error:
                raise SandboxError(f"cannot create the sandbox state {path}: {error.strerror}") from error
        return cls(path)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, alone: all of it happens, or on an exception nothing."""
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view, which holds up no writer however long it takes."""
        with closing(_connect(self.path)) as db:
            db.execute("BEGIN")
            yield db

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._writer.close()


def count(db: sqlite3.Connection, name: str) -> None:
    """Add one to a counter of the witness."""
    db.execute("INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET n = n + 1", (name,))


def raise_to(db: sqlite3.Connection, name: str, value: int) -> None:
    """Lift a counter that keeps a maximum."""
    db.execute(
        "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = max(n, excluded.n)",
        (name, value),
    )


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    return db


def _check_is_ours(db: sqlite3.Connection, path: Path) -> None:
    try:
        application_id = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise SandboxError(
            f"{path} is not a sandbox state ({error}); name another file with --state"
        ) from error
    if application_id != APPLICATION_ID:
        raise SandboxError(f"{path} is not a sandbox state; name another file with --state")
    if version != SCHEMA_VERSION:
        raise SandboxError(
            f"{path} is a sandbox state of version {version}, not {SCHEMA_VERSION}; make a new one"
        )


def _create(path: Path, furnish: Callable[[sqlite3.Connection], None]) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with closing(_connect(draft)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(SCHEMA)
            furnish(db)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
