"""A whole migration in a folder of its own: a real provider, real tokens, and migrator as a real process."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from migrator.ledger.access import open_to_compare
from migrator.ledger.file.codec import Codec
from migrator.ledger.file.keys import require_key
from migrator.models import Action, Secret, TokenPair
from migrator.sandbox import Sandbox
from tests import warm
from tests.truth import Held, contradiction

Finished = subprocess.CompletedProcess[str]

PATIENCE = 60.0
"""Seconds after which a test that waits for a process gives up."""
ASKED_ONCE = frozenset({"tumblr", "intuit"})
"""Providers where one swap is all that a user's legacy token is good for."""


@dataclass
class Workplace:
    """One folder with tokens and settings, whoever the provider is."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict, kw_only=True)
    """Added to a clean environment."""
    passed: float = field(default=0.0, kw_only=True)
    """Seconds by which migrator's clock is ahead of the real one; as ``Life`` needs it."""

    def migrator(self, *arguments: str, stdin: str | None = None) -> Finished:
        """Run ``migrator`` to its end."""
        return self.warm("migrator", *arguments, stdin=stdin)

    def configure(self, **job: object) -> None:
        """Change settings of the job."""
        settings = self.folder / "migrator.toml"
        text = settings.read_text("utf-8")
        for name, value in job.items():
            text = re.sub(rf"(?m)^{name} = .*\n", "", text) + f"{name} = {value}\n"
        settings.write_text(text, "utf-8")

    def with_little_room(self, kilobytes: int, *arguments: str) -> Finished:
        """Run ``migrator`` where no file can become longer than that: SQLite meets a disk that is full."""
        return subprocess.run(
            ["sh", "-c", 'ulimit -f "$0" && exec "$@"', str(2 * kilobytes), *self.command(*arguments)],
            cwd=self.folder,
            env=self.clean_environment(),
            text=True,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``migrator`` and go on."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.clean_environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def stop_at(
        self, process: subprocess.Popen[str], migrated: int, number: int = signal.SIGKILL
    ) -> tuple[str, str]:
        """Send a signal once so many are migrated, wait for the end, and return what it printed."""
        deadline = time.monotonic() + PATIENCE
        while self.states().get("migrated", 0) < migrated:
            assert process.poll() is None, f"ended before it was stopped: {process.communicate()}"
            assert time.monotonic() < deadline, "nothing moves"
            time.sleep(0.01)
        process.send_signal(number)
        return process.communicate(timeout=PATIENCE)

    def kill_at(self, step: str, action: Action, number: int, *arguments: str) -> str:
        """Run ``migrator`` until it kills itself at a step of its n-th call of one kind.

        Returns what it said.
        """
        return self.killed("tests.killed_at", step, action.value, str(number), "--", *arguments)

    def killed(self, module: str, *arguments: str) -> str:
        """Run a program that kills itself on the way; returns what it said."""
        process = self.warm(module, *arguments)
        assert process.returncode == -signal.SIGKILL, (process.returncode, process.stdout, process.stderr)
        return process.stderr

    def warm(self, module: str, *arguments: str, stdin: str | None = None) -> Finished:
        """Run a program that runs migrator in its own way, to its end; it need not start cold."""
        return warm.run(
            module,
            arguments,
            ahead=self.passed,
            folder=self.folder,
            environment=self.clean_environment(),
            stdin=stdin,
            timeout=PATIENCE * 3,
        )

    # --- what the ledger says ---

    @property
    def ledger(self) -> Path:
        return self.folder / "migration.db"

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What the ledger answers, as the sqlite3 shell would."""
        db = sqlite3.connect(f"{self.ledger.as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    def alter(self, sql: str, *values: object) -> int:
        """Change the ledger behind migrator's back; returns how many rows."""
        with closing(sqlite3.connect(self.ledger, timeout=10)) as db, db:
            return db.execute(sql, values).rowcount

    def empty_log(self) -> None:
        """Have SQLite move its log into the ledger, as the last one to close it does."""
        with closing(sqlite3.connect(self.ledger, timeout=10)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def states(self) -> dict[str, int]:
        """State to number; empty as long as there is no ledger."""
        if not self.ledger.is_file():
            return {}
        try:
            return dict(self.query("SELECT state, count(*) FROM connections GROUP BY state"))
        except sqlite3.OperationalError:
            return {}

    def status(self) -> dict[str, Any]:
        """``status --json``."""
        document: dict[str, Any] = json.loads(self.migrator("status", "--json").stdout)
        return document

    def pairs(self) -> dict[str, TokenPair]:
        """Tenant to the stored pair that stands for it, decrypted."""
        key = require_key(self.ledger, {}, None)
        with open_to_compare(self.ledger, key) as (db, codec):
            return dict(_pair(codec, row) for row in db.execute(_PAIRS))

    def secrets(self) -> set[str]:
        """Every token, secret and handle that the ledger ever held, and its key."""
        key = require_key(self.ledger, {}, None)
        found = {key.text.reveal()}
        with open_to_compare(self.ledger, key) as (db, codec):
            for material, expires_at in db.execute("SELECT material, expires_at FROM legacy_tokens"):
                legacy = codec.open_legacy(material, expires_at)
                found |= {legacy.token.reveal(), legacy.token_secret.reveal()}
                if legacy.session_handle:
                    found.add(legacy.session_handle.reveal())
            for access, refresh in db.execute("SELECT access_token, refresh_token FROM token_pairs"):
                found |= {secret.reveal() for secret in codec.open_pair(access, refresh)}
        return found

    def codec_opens(self, answer: bytes) -> bytes:
        """An answer that nobody could read, decrypted."""
        with open_to_compare(self.ledger, require_key(self.ledger, {}, None)) as (_, codec):
            return codec.open_answer(answer)

    def command(self, *arguments: str) -> list[str]:
        """The command line of a real process."""
        return [sys.executable, "-m", "migrator", *arguments]

    def clean_environment(self) -> dict[str, str]:
        """This process's environment without settings of migrator's, but with the scene's own."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MIGRATOR_")}
        return {**clean, "PYTHONPATH": str(Path(__file__).parent.parent), **self.environment}


@dataclass
class Scene(Workplace):
    """One folder with tokens, settings and a served sandbox."""

    sandbox: Sandbox
    credentials: Mapping[str, Any]
    provider: str = field(default="xero", kw_only=True)

    def secrets(self) -> set[str]:
        """The same, with the apps' secrets."""
        return {*super().secrets(), self.credentials["consumer_secret"], self.credentials["client_secret"]}

    def held(self) -> list[Held]:
        """Every connection as the ledger has it, to be held against the witness."""
        key = require_key(self.ledger, {}, None)
        standing: dict[int, str] = {}
        pairs: defaultdict[int, set[str]] = defaultdict(set)
        with open_to_compare(self.ledger, key) as (db, codec):
            for connection_id, access, refresh, stands in db.execute(_ALL_PAIRS):
                access_token, refresh_token = codec.open_pair(access, refresh)
                of_pair = fingerprint(refresh_token or access_token)
                pairs[connection_id].add(of_pair)
                if stands:
                    standing[connection_id] = of_pair
            tokens = _tokens(db, codec)
            return [
                Held(
                    key=row["key"],
                    tenant_id=row["tenant_id"],
                    state=row["state"],
                    reason=row["reason"],
                    renewals=row["renewals"],
                    swaps=row["swaps"],
                    standing=standing.get(row["id"]),
                    pairs=frozenset(pairs[row["id"]]),
                    tokens=frozenset(tokens[row["id"]]),
                    unanswered=row["unanswered"],
                )
                for row in _rows(db, _HELD)
            ]

    # --- what the witness says ---

    def witness(self) -> dict[str, dict[str, Any]]:
        """Tenant, and each legacy token's fingerprint, to what the sandbox says of its connection."""
        said: dict[str, dict[str, Any]] = {}
        for connection in self.sandbox.stats()["tokens"]:
            names = (connection["tenant_id"], *connection["oauth_tokens_ever_sha256"])
            said |= dict.fromkeys(names, connection)
        return said

    def untrue(self) -> list[str]:
        """Every statement of the ledger that the witness contradicts, and everybody who was asked for twice
        where that must not be.
        """
        held, witness = self.held(), self.witness()
        asked_once = self.provider in ASKED_ONCE
        found = ((one, contradiction(one, witness_of(one, witness), asked_once=asked_once)) for one in held)
        lies = [f"{one.key}: {one.state} {one.reason}, but {why}" for one, why in found if why]
        again = self.query(_ASKED_AGAIN) if asked_once else []
        return lies + [f"{key}: its token was used again" for (key,) in again]

    def refresh_works(self, pair: TokenPair) -> bool:
        """Whether the provider takes a stored refresh token. Uses it up."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                f"{self.sandbox.base_url}/connect/token",
                data={"grant_type": "refresh_token", "refresh_token": pair.refresh_token.reveal()},
                auth=(self.credentials["client_id"], self.credentials["client_secret"]),
                timeout=10,
            )
        return answer.status_code == 200 and "refresh_token" in answer.json()


_PAIRS = """
    SELECT c.tenant_id, p.access_token, p.refresh_token, p.expires_at, p.user_id
    FROM token_pairs p JOIN connections c ON c.id = p.connection_id
    WHERE p.replaced_at IS NULL AND p.dead_at IS NULL
"""


_ALL_PAIRS = """
    SELECT connection_id, access_token, refresh_token, replaced_at IS NULL AND dead_at IS NULL
    FROM token_pairs
"""
_ASKED_AGAIN = """
    SELECT key FROM connections WHERE id IN (
        SELECT connection_id FROM attempts
        WHERE action = 'swap' AND (outcome IS NULL OR outcome IN ('unknown', 'done'))
        GROUP BY connection_id HAVING count(*) > 1
    )
"""
_HELD = """
    SELECT id, key, tenant_id, state, reason,
        (SELECT count(*) FROM legacy_tokens
         WHERE connection_id = c.id AND attempt_id IS NOT NULL) AS renewals,
        (SELECT count(*) FROM token_pairs p JOIN attempts a ON a.id = p.attempt_id
         WHERE p.connection_id = c.id AND a.action = 'swap') AS swaps,
        (SELECT count(*) FROM attempts
         WHERE connection_id = c.id AND action = 'swap' AND outcome = 'unknown') AS unanswered
    FROM connections c ORDER BY id
"""


def _pair(codec: Codec, row: tuple[Any, ...]) -> tuple[str, TokenPair]:
    tenant, access, refresh, expires_at, user_id = row
    access_token, refresh_token = codec.open_pair(access, refresh)
    return tenant, TokenPair(access_token, refresh_token, expires_at, user_id=user_id)


def _rows(db: sqlite3.Connection, sql: str) -> list[dict[str, Any]]:
    answer = db.execute(sql)
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer]


def _tokens(db: sqlite3.Connection, codec: Codec) -> defaultdict[int, set[str]]:
    """Connection to the fingerprints of its legacy tokens."""
    tokens: defaultdict[int, set[str]] = defaultdict(set)
    for number, material in db.execute("SELECT connection_id, material FROM legacy_tokens"):
        tokens[number].add(fingerprint(codec.open_legacy(material, None).token))
    return tokens


def witness_of(held: Held, witness: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What ``Scene.witness`` has of a connection: by its tenant, or, where there is none, by its tokens."""
    if held.tenant_id:
        return witness[held.tenant_id]
    (known,) = {name for name in held.tokens if name in witness} or {""}
    return witness[known]


def fingerprint(secret: Secret) -> str:
    """A secret as the sandbox's stats name it."""
    return hashlib.sha256(secret.reveal().encode()).hexdigest()
