"""A stage for torture: a sandbox with tokens that are all swapped, and settings that suit it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrator import sandbox
from migrator.sandbox.issuing import client_files
from tests.support import Scene


@contextmanager
def scene(
    folder: Path,
    count: int,
    *faults: str,
    seed: int,
    timeout: float,
    expired: float = 0.1,
    provider: str = "xero",
) -> Iterator[Scene]:
    """Set it up, serve it, and take it down. ``expired`` is for Xero, whose tokens are partners'."""
    home = folder / "scene"
    home.mkdir(parents=True)
    state = folder / "sandbox.db"
    mix = "partner=1" if provider == "xero" else None
    share = expired if provider == "xero" else None
    rows = sandbox.issue_tokens(state, count, mix, expired=share, seed=seed, provider=provider)
    client_files.write_tokens(home / "tokens.csv", rows)
    with sandbox.running(state, faults, seed=seed) as running:
        settings = client_files.write_settings(home, sandbox.credentials(state), running.base_url, provider)
        settings.write_text(
            f"{settings.read_text('utf-8').rstrip()}\ntimeout = {timeout}\npatience = {4 * timeout}\n",
            "utf-8",
        )
        yield Scene(home, running, sandbox.credentials(state), provider=provider)
