"""A folder as whoever migrates has one: tokens, settings, and ``migrator`` or a script to run there."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

from migrator.sandbox.issuing import client_files
from tests.bench.competitors.task import VARIABLES, Application
from tests.bench.processes import Taken, taken
from tests.bench.serving import ROOT, Stub, bundle

APPLICATION = Application("bench-consumer", "bench-consumer-secret", "bench-client", "bench-client-secret")
_NO_WAY_OUT = re.compile(r"(?i)(https?|all|no)_proxy|requests_ca_bundle|ssl_cert_file|migrator_.*")
"""Variables that would send calls elsewhere than to the stub, or change what is measured."""


@dataclass(frozen=True)
class Home:
    """The folder, and the environment of what runs there."""

    folder: Path
    environment: dict[str, str] = field(repr=False)
    """Of the scripts; migrator has its secrets from files."""

    @property
    def ledger(self) -> Path:
        return self.folder / "migration.db"

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens.csv"

    def migrator(self, *arguments: str | Path, codes: tuple[int, ...] = (0,)) -> Taken:
        """Run ``migrator`` as a process, to its end."""
        return taken(
            [sys.executable, "-m", "migrator", *arguments], self.folder, self.environment, codes=codes
        )

    def script(self, module: str, *arguments: str | Path) -> Taken:
        """Run a module of the bench's as a process, to its end."""
        command = [sys.executable, "-m", f"tests.bench.{module}", *arguments]
        return taken(command, self.folder, self.environment)

    def competitor(self, name: str, stub: Stub, *options: str) -> Taken:
        """Have a script swap all tokens, into a new database."""
        pairs = self.folder / f"{name}.db"
        forget(pairs)
        return self.script(f"competitors.{name}", self.tokens, pairs, stub.url, *options)

    def copied(self, folder: Path) -> Home:
        """The same, to spoil."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder)

    def size(self) -> float:
        """MiB of the ledger on disk, with its log."""
        return sum(path.stat().st_size for path in database_files(self.ledger)) / 2**20


def home(folder: Path, stub: Stub, *, concurrency: int, limits: str | None = "") -> Home:
    """Make one whose provider is the stub.

    ``concurrency`` is how many calls there are at once, ``limits`` what stands in the profile in the place of
    Xero's; None leaves those.
    """
    folder.mkdir(parents=True)
    known = {
        "consumer_key": APPLICATION.consumer_key,
        "consumer_secret": APPLICATION.consumer_secret,
        "client_id": APPLICATION.client_id,
        "client_secret": APPLICATION.client_secret,
        "redirect_uris": ["http://127.0.0.1/callback"],
    }
    settings = client_files.write_settings(folder, known, stub.url)
    text = settings.read_text("utf-8").partition("[job]")[0]
    if limits is not None:
        (folder / "own.toml").write_text(_profile(limits), "utf-8")
        text = text.replace('provider = "xero"', 'provider = "own.toml"')
    text += f"[job]\nconcurrency = {concurrency}\n"
    environment = {name: value for name, value in os.environ.items() if not _NO_WAY_OUT.fullmatch(name)}
    environment["PYTHONPATH"] = str(ROOT)
    environment |= dict(zip(VARIABLES, (*vars(APPLICATION).values(),), strict=True))
    if stub.authority is not None:
        text += f'[network]\nca_file = "{stub.authority}"\n'
        trusted = str(bundle(stub.authority))
        environment |= {"REQUESTS_CA_BUNDLE": trusted, "SSL_CERT_FILE": trusted}
    settings.write_text(text, "utf-8")
    return Home(folder, environment)


def _profile(limits: str) -> str:
    built_in = resources.files("migrator.providers") / "profiles" / "xero.toml"
    all_limits = r"(\[\[limits\]\]\n(?:[^\[\n].*\n|\n)*)+"
    text, found = re.subn(all_limits, limits + "\n", built_in.read_text("utf-8"), count=1)
    assert found == 1
    return text


def database_files(path: Path) -> list[Path]:
    """A database of SQLite's with what lies beside it."""
    return [one for one in (path, Path(f"{path}-wal"), Path(f"{path}-shm")) if one.exists()]


def forget(path: Path) -> None:
    """Delete a database of SQLite's."""
    for one in database_files(path):
        one.unlink()
