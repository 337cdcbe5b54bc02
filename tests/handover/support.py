"""A migration whose swaps are over, and whose time passes, for migrator and for the provider alike."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from migrator.ledger.access import open_to_compare
from migrator.ledger.file.keys import require_key
from migrator.models import Secret
from migrator.sandbox import Sandbox
from tests.support import PATIENCE, Finished, Scene, fingerprint

DAY = 86400.0

Row = dict[str, Any]


@dataclass
class Life(Scene):
    """A scene that lives on after the swap."""

    def pass_days(self, days: float) -> None:
        """Let time pass for both."""
        self.pass_seconds(days * DAY)

    def pass_seconds(self, seconds: float) -> None:
        self.sandbox.advance(seconds)
        self.passed += seconds

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "tests.at_time", f"+{self.passed:f}s", "--", *arguments]

    def served_by(self, sandbox: Sandbox) -> None:
        """From now on another sandbox of the same state answers."""
        settings = self.folder / "migrator.toml"
        text = re.sub(
            r"(?m)^base_url = .*$", f"base_url = {json.dumps(sandbox.base_url)}", settings.read_text("utf-8")
        )
        settings.write_text(text, "utf-8")
        self.sandbox = sandbox

    def done(self, *arguments: str, code: int = 0) -> Finished:
        """Run a command that must end with this exit code."""
        finished = self.migrator(*arguments)
        assert finished.returncode == code, (arguments, finished.returncode, finished.stdout, finished.stderr)
        assert "Traceback" not in finished.stderr, finished.stderr
        return finished

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """What a command prints with ``--json``."""
        document: dict[str, Any] = json.loads(self.done(*arguments, "--json", code=code).stdout)
        return document

    # --- what the ledger says ---

    def state_of(self, connection_id: int) -> tuple[str, str]:
        """State and reason."""
        ((state, reason),) = self.query("SELECT state, reason FROM connections WHERE id = ?", connection_id)
        return state, reason

    def state_of_all(self) -> list[tuple[str, str]]:
        """The different states and reasons, in order."""
        return self.query("SELECT DISTINCT state, reason FROM connections ORDER BY 1, 2")

    def key_of(self, connection_id: int) -> str:
        ((key,),) = self.query("SELECT key FROM connections WHERE id = ?", connection_id)
        return str(key)

    def tenant_of(self, connection_id: int) -> str:
        ((tenant,),) = self.query("SELECT tenant_id FROM connections WHERE id = ?", connection_id)
        return str(tenant)

    def attempts(self, action: str) -> list[tuple[int, str | None]]:
        """Connection and outcome of each call of a kind, in order."""
        return self.query("SELECT connection_id, outcome FROM attempts WHERE action = ? ORDER BY id", action)

    def refresh_tokens(self) -> dict[str, Secret]:
        """Tenant to the refresh token of the pair that stands for it now."""
        return {tenant: pair.refresh_token for tenant, pair in self.pairs().items()}

    def ciphertexts(self) -> list[bytes]:
        """Every sealed token in the ledger."""
        return [
            value
            for sql in (
                "SELECT material FROM legacy_tokens",
                "SELECT access_token FROM token_pairs",
                "SELECT refresh_token FROM token_pairs",
                "SELECT answer FROM attempts WHERE answer IS NOT NULL",
            )
            for (value,) in self.query(sql)
            if value
        ]

    def handed_over(self) -> int:
        """How many connections the ledger says the application has."""
        ((number,),) = self.query("SELECT count(exported_at) FROM pairs")
        return int(number)

    def bytes_beside(self) -> bytes:
        """Ledger, log, journal and whatever else lies beside it, but for the key and the application's."""
        return b"".join(
            path.read_bytes()
            for path in sorted(self.folder.glob("migration.db*"))
            if not path.name.endswith(".key")
        )

    def litter(self) -> list[str]:
        """Files that nobody wanted."""
        return sorted(path.name for path in self.folder.iterdir() if ".part" in path.name)

    # --- what the witness says ---

    def dead(self) -> list[str]:
        """The tenants whose connection is ``migrated`` and whose stored pair the provider would not take."""
        witness = self.witness()
        return [
            held.tenant_id
            for held in self.held()
            if held.state == "migrated"
            and held.standing not in witness[held.tenant_id]["refresh_tokens_sha256"]
        ]

    def works(self, refresh_token: Secret) -> bool:
        """Whether the provider would take a refresh token."""
        return any(
            fingerprint(refresh_token) in said["refresh_tokens_sha256"] for said in self.witness().values()
        )

    def revoke_at_provider(self, tenant: str) -> None:
        """As when the user has ended the grant at the provider."""
        self.call(
            "POST",
            "/connect/revocation",
            data={"token": self.refresh_tokens()[tenant].reveal()},
            auth=(self.credentials["client_id"], self.credentials["client_secret"]),
        )

    def disconnect(self, tenant: str) -> None:
        """As when the user has disconnected one tenant: its pairs live on and do not reach it any more."""
        bearer = {"Authorization": f"Bearer {self.pairs()[tenant].access_token.reveal()}"}
        for connection in self.call("GET", "/connections", headers=bearer).json():
            if connection["tenantId"] == tenant:
                self.call("DELETE", f"/connections/{connection['id']}", headers=bearer)

    def call(self, method: str, path: str, **keywords: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(method, self.sandbox.base_url + path, timeout=10, **keywords)
        assert answer.ok, answer.text
        return answer


def secrets_of(life: Life) -> set[str]:
    """Every token that the ledger holds, purged ones left out, and the handles."""
    found = set[str]()
    with open_to_compare(life.ledger, require_key(life.ledger, {}, None)) as (db, codec):
        for (material,) in db.execute("SELECT material FROM legacy_tokens WHERE material <> x''"):
            legacy = codec.open_legacy(material, None)
            found |= {legacy.token.reveal(), legacy.token_secret.reveal()}
            if legacy.session_handle:
                found.add(legacy.session_handle.reveal())
        for access, refresh in db.execute(
            "SELECT access_token, refresh_token FROM token_pairs WHERE purged_at IS NULL"
        ):
            found |= {secret.reveal() for secret in codec.open_pair(access, refresh)}
    return found


def json_lines(path: Path) -> list[Row]:
    """The rows of an export."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def csv_rows(path: Path) -> list[dict[str, str]]:
    """The rows of an export."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """A file of legacy tokens with whatever columns the rows have."""
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def until(true: Any, process: subprocess.Popen[str]) -> None:
    """Wait until something is so, while a process works."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert process.poll() is None, f"ended too soon: {process.communicate()}"
        assert time.monotonic() < deadline, "nothing moves"
        time.sleep(0.01)


def arguments_of(process_id: int) -> bytes:
    """What ``ps`` shows of a process."""
    return Path(f"/proc/{os.fspath(str(process_id))}/cmdline").read_bytes()
