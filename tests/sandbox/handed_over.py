"""The pairs that migrator itself wins at a sandbox and hands over, for clients that others wrote."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from migrator.sandbox.issuing import client_files
from tests import warm
from tests.support import PATIENCE


class KnownToSandbox(Protocol):
    """Whatever knows where a sandbox is, and what it knows of the application."""

    @property
    def base_url(self) -> str: ...
    @property
    def known(self) -> Mapping[str, Any]: ...


def pairs_of(
    provider: str, client: KnownToSandbox, rows: Iterable[Mapping[str, str]], folder: Path
) -> list[dict[str, Any]]:
    """Swap rows' legacy tokens and export the pairs, both by the command line in a new folder there.

    Returns the lines of the export.
    """
    folder = folder / "migration"
    folder.mkdir()
    client_files.write_tokens(folder / "tokens.csv", rows)
    client_files.write_settings(folder, client.known, client.base_url, provider)
    _migrator(folder, "run", "tokens.csv")
    _migrator(folder, "export", "-o", "pairs.jsonl")
    return [json.loads(line) for line in (folder / "pairs.jsonl").read_text("utf-8").splitlines()]


def _migrator(folder: Path, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MIGRATOR_")}
    ran = warm.run(
        "migrator",
        arguments,
        ahead=0,
        folder=folder,
        environment=environment,
        stdin=None,
        timeout=PATIENCE * 3,
    )
    assert ran.returncode == 0, (ran.stdout, ran.stderr)
