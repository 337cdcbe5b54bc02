"""A migration from a small provider: its profile and settings in a folder, and migrator as a real process."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.shapes.server import (
    CLIENT_ID,
    CLIENT_SECRET,
    CONSUMER_KEY,
    CONSUMER_SECRET,
    PROFILES,
    Provider,
    serving,
)
from tests.support import Finished, Workplace

_SETTINGS = """\
provider = "profiles/{name}.toml"
base_url = "{base_url}"
[oauth1]
consumer_key = "{consumer_key}"
[oauth2]
client_id = "{client_id}"
{settings}
[job]
concurrency = 2
timeout = 1.5
"""


@dataclass
class Journey(Workplace):
    """One folder, and the provider that answers."""

    provider: Provider

    def done(self, *arguments: str, code: int = 0) -> Finished:
        """Run a command that must end with this exit code, and shows no secret."""
        finished = self.migrator("--log-file", "log", "-v", *arguments)
        said = (finished.returncode, finished.stdout, finished.stderr)
        assert finished.returncode == code, (arguments, said, self.provider.unexpected)
        assert "Traceback" not in finished.stderr, finished.stderr
        self.assert_no_secret_in(finished.stdout + finished.stderr)
        return finished

    def write(self, rows: Sequence[Mapping[str, str]], name: str = "tokens.csv") -> str:
        """Write the input; returns its name."""
        with (self.folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return name

    def standing(self) -> dict[str, tuple[str, str]]:
        """User to state and reason."""
        rows = self.query("SELECT key, state, reason FROM connections ORDER BY id")
        return {key: (state, reason) for key, state, reason in rows}

    def attempts(self, user: str) -> list[tuple[str, str, str]]:
        """Action, outcome and problem of each call about a user, in order."""
        return self.query(
            "SELECT action, outcome, coalesce(problem, '') FROM attempts a"
            " JOIN connections c ON c.id = a.connection_id WHERE c.key = ? ORDER BY a.id",
            user,
        )

    def exported(self) -> dict[str, dict[str, Any]]:
        """User to what an export hands over."""
        name = f"pairs-{len(list(self.folder.glob('pairs-*')))}.jsonl"
        self.done("export", "-o", name)
        lines = (self.folder / name).read_text("utf-8").splitlines()
        return {row["connection_id"]: row for row in map(json.loads, lines)}

    def assert_no_secret_in(self, text: str) -> None:
        for secret in self._all_secrets():
            assert secret not in text, "a secret is shown"

    def assert_no_secret_on_disk(self) -> None:
        """Neither the log nor any of the ledger's files holds one in the clear."""
        files = [path for path in self.folder.iterdir() if path.name.startswith(("migration.db", "log"))]
        assert {path.name for path in files} >= {"migration.db", "log"}
        for path in files:
            if path.name.endswith(".key"):
                continue
            content = path.read_bytes()
            for secret in self._all_secrets():
                assert secret.encode() not in content, f"{path.name} holds a secret"

    def _all_secrets(self) -> set[str]:
        provider = self.provider
        own = {*provider.users, *provider.secret_of.values(), *provider.given}
        return own | {CONSUMER_SECRET, CLIENT_SECRET}


@contextmanager
def journey(folder: Path, provider: Provider, *, profile: str = "") -> Iterator[Journey]:
    """A provider served, and a folder that is set up for it; ``profile`` goes before the one of its file."""
    with serving(provider) as base_url:
        (folder / "profiles").mkdir(parents=True)
        text = profile or (PROFILES / f"{provider.name}.toml").read_text("utf-8")
        (folder / "profiles" / f"{provider.name}.toml").write_text(text, "utf-8")
        settings = _SETTINGS.format(
            name=provider.name,
            base_url=base_url,
            consumer_key=CONSUMER_KEY,
            client_id=CLIENT_ID,
            settings=provider.settings,
        )
        (folder / "migrator.toml").write_text(settings, "utf-8")
        secrets = {"MIGRATOR_CONSUMER_SECRET": CONSUMER_SECRET, "MIGRATOR_CLIENT_SECRET": CLIENT_SECRET}
        yield Journey(folder, provider, environment=secrets)
