"""Timestamps and nonces: a signed call counts once (RFC 5849, 3.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrator.sandbox.oauth1.problems import problem
from migrator.sandbox.state.state_file import count

if TYPE_CHECKING:
    import sqlite3

TIMESTAMP_TOLERANCE = 300
"""Seconds by which a client's clock may differ from ours, either way."""


def timestamp(text: str, now: float) -> int:
    """A call's ``oauth_timestamp``, in seconds; raises ``Refusal`` for one that is not near ``now``."""
    moment = int(text) if re.fullmatch(r"[0-9]{1,12}", text) else None
    if moment is None or abs(moment - now) > TIMESTAMP_TOLERANCE:
        raise problem("timestamp_refused", "The timestamp is not a number near the provider's time")
    return moment


def use(db: sqlite3.Connection, used: tuple[int, str, str, str], now: float) -> None:
    """Let a nonce serve once for a timestamp, consumer and token; raises ``Refusal`` for one seen before."""
    # Older ones cannot come back: their timestamp would be refused.
    db.execute("DELETE FROM nonces WHERE timestamp < ?", (int(now) - TIMESTAMP_TOLERANCE - 1,))
    if db.execute("INSERT OR IGNORE INTO nonces VALUES (?, ?, ?, ?)", used).rowcount == 0:
        count(db, "nonce_reuse")
        raise problem("nonce_used", "The nonce has been used before")
