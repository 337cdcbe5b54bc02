"""Swaps of a legacy connection, counted; and what a further one does to what the earlier ones won."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from migrator.sandbox.state import pairs

if TYPE_CHECKING:
    import sqlite3


class Repeat(StrEnum):
    """What a second swap of one legacy connection does."""

    NEWEST_WINS = "newest-wins"
    """A new pair, and the earlier ones die."""
    KEEP = "keep"
    """A new pair, and the earlier ones live on."""
    NEVER = "never"
    """Refused: the first swap killed the legacy token."""
    ONCE = "once"
    """Refused, whichever of the user's legacy tokens it is with, though these live on."""

    def refuses(self, swaps_before: int) -> bool:
        """Whether a connection that was swapped so often may not be swapped again, for that reason alone."""
        return self is Repeat.ONCE and swaps_before > 0


def record(db: sqlite3.Connection, connection_id: int, repeat: Repeat) -> None:
    """Count a swap that is about to win a pair, and end whatever ``repeat`` says that it ends."""
    match repeat:
        case Repeat.NEWEST_WINS:
            pairs.supersede(db, connection_id)
        case Repeat.NEVER:
            db.execute("UPDATE oauth1_tokens SET alive = 0 WHERE connection_id = ?", (connection_id,))
        case Repeat.KEEP | Repeat.ONCE:
            pass
    db.execute("UPDATE connections SET swaps = swaps + 1 WHERE id = ?", (connection_id,))
