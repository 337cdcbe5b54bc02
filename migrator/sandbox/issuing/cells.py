"""The cells of an input file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def cell(row: Mapping[str, str], column: str) -> str:
    """A cell without blanks around it; empty if there is none."""
    # A short CSV row has None in its last columns.
    return (row.get(column) or "").strip()


def epoch(text: str) -> int:
    """Epoch seconds, from ISO 8601 (UTC unless it says otherwise) or epoch seconds.

    Raises ``ValueError`` or ``OverflowError``.
    """
    try:
        return int(float(text))
    except ValueError:
        moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
