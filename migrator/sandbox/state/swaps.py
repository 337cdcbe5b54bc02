"""Swaps of a legacy connection, counted; and what a further one does to what the earlier ones won."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from migrator.sandbox.state import pairs

if TYPE_CHECKING:
    import sqlite3


class Repeat(StrEnum):
    """What a second swap of one legacy token does."""

    NEWEST_WINS = "newest-wins"
    """A new pair, and the earlier ones die."""
    KEEP = "keep"
    """A new pair, and the earlier ones live on."""
    NEVER = "never"
    """Refused: the first swap killed the legacy token."""


def record(db: sqlite3.Connection, connection_id: int, repeat: Repeat) -> None:
    """Count a swap that is about to win a pair, and end whatever ``repeat`` says that it ends."""
    match repeat:
        case Repeat.NEWEST_WINS:
            pairs.supersede(db, connection_id)
        case Repeat.NEVER:
            db.execute("UPDATE oauth1_tokens SET alive = 0 WHERE connection_id = ?", (connection_id,))
        case Repeat.KEEP:
            pass
    db.execute("UPDATE connections SET swaps = swaps + 1 WHERE id = ?", (connection_id,))
