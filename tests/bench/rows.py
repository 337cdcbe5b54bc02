"""Legacy tokens by the million, as an application would have them; the stub knows whose each is."""

from __future__ import annotations

import csv
from pathlib import Path

from migrator.sandbox.state.legacy_tokens import COLUMNS
from tests.bench.stub import tenant


def write_rows(path: Path, number: int) -> Path:
    """A CSV file of so many partner's tokens that do not end; returns its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_row(which) for which in range(1, number + 1))
    return path


def _row(which: int) -> list[str]:
    token = f"T{which:029d}"
    about = ["partner", f"Organisation {which} Limited", tenant(token.encode()).decode(), "ORGANISATION"]
    return [
        f"customer-{which}",
        *about,
        f"owner-{which}@example.org",
        token,
        f"S{which:029d}",
        f"H{which:029d}",
        "",
    ]
