"""What a file comes to: every row checked, two sets for what stands there twice.

``python -m tests.bench.competitors.dry_run TOKENS.CSV``
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

_LONGEST = 10_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DAMAGED = re.compile(r"\d[.,]?\d*E\+\d+|#[A-Z0-9/]+[!?]?", re.IGNORECASE)
_APP_TYPES = ("partner", "public", "private")
_TENANT_TYPES = ("ORGANISATION", "PRACTICE", "")
_IDENTIFYING = ("connection_id", "oauth_token", "oauth_token_secret", "oauth_session_handle", "tenant_id")


def main() -> None:
    """Count, and print."""
    tokens: set[str] = set()
    keys: set[str] = set()
    counted: Counter[str] = Counter()
    now = datetime.now(UTC)
    with Path(sys.argv[1]).open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            counted[problem(row, tokens, keys) or fate(row, now)] += 1
    for name, number in sorted(counted.items()):
        print(f"{name:30} {number:>10,}")


def problem(row: dict[str, str], tokens: set[str], keys: set[str]) -> str:
    """Why a row cannot be used; empty if it can."""
    for name, value in row.items():
        row[name] = text = value.strip()
        if len(text) > _LONGEST or _CONTROL.search(text):
            return "bad_value"
    if any(_DAMAGED.fullmatch(row[name]) for name in _IDENTIFYING):
        return "damaged_cell"
    if row["app_type"] not in _APP_TYPES or row["tenant_type"] not in _TENANT_TYPES:
        return "unknown_type"
    if not row["oauth_token"] or (row["app_type"] == "partner" and not row["oauth_token_secret"]):
        return "missing_token"
    if row["oauth_token"] in tokens or row["connection_id"] in keys:
        return "duplicate"
    tokens.add(row["oauth_token"])
    keys.add(row["connection_id"])
    return ""


def fate(row: dict[str, str], now: datetime) -> str:
    """What would be done with a row."""
    if row["app_type"] != "partner":
        return "consent"
    ends = row["oauth_expires_at"]
    if not ends or datetime.fromisoformat(ends) > now:
        return "swap"
    return "renew" if row["oauth_session_handle"] else "consent"


if __name__ == "__main__":
    main()
