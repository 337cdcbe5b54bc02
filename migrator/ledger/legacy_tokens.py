"""Legacy tokens (OAuth 1.0a): every generation of each, the newest of which stands for its connection."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from migrator.ledger.file.codec import Codec, maybe_time_text, time_text
from migrator.models import LegacyToken


def add(
    db: sqlite3.Connection,
    codec: Codec,
    connection_id: int,
    legacy: LegacyToken,
    now: datetime,
    *,
    attempt_id: int | None = None,
) -> None:
    """The next generation of a legacy token.

    The ones before it stay: the new one is not yet known to work.
    """
    db.execute(
        """INSERT INTO legacy_tokens
           (connection_id, generation, attempt_id,
            material, token_print, material_print, expires_at, obtained_at)
           SELECT ?1, coalesce(max(generation), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7
           FROM legacy_tokens WHERE connection_id = ?1""",
        [
            connection_id,
            attempt_id,
            codec.seal_legacy(legacy),
            codec.token_print(legacy),
            codec.material_print(legacy),
            maybe_time_text(legacy.expires_at),
            time_text(now),
        ],
    )


def set_expiry(db: sqlite3.Connection, connection_id: int, expires_at: datetime | None) -> None:
    """When the newest generation of a legacy token ends, as somebody who knows better says."""
    db.execute(
        """UPDATE legacy_tokens SET expires_at = ? WHERE id =
           (SELECT id FROM legacy_tokens WHERE connection_id = ? ORDER BY generation DESC LIMIT 1)""",
        [maybe_time_text(expires_at), connection_id],
    )
