"""Legacy tokens (OAuth 1.0a): every generation of each, the newest of which stands for its connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from migrator.ledger.file import many_rows
from migrator.ledger.file.codec import Codec, material
from migrator.ledger.file.times import maybe_time_text
from migrator.models import LegacyToken

_FIRST = ("connection_id", "generation", "material", "token_print", "expires_at")


def add_first(
    db: sqlite3.Connection, codec: Codec, ids: Iterable[int], tokens: Iterable[tuple[LegacyToken, bytes]]
) -> None:
    """The legacy tokens of new connections of these ids, with their prints."""
    rows = [
        (connection_id, 1, codec.seal_legacy(legacy), token_print, maybe_time_text(legacy.expires_at))
        for connection_id, (legacy, token_print) in zip(ids, tokens, strict=True)
    ]
    many_rows.insert(db, "legacy_tokens", _FIRST, rows)


def add(
    db: sqlite3.Connection,
    codec: Codec,
    connection_id: int,
    legacy: LegacyToken,
    *,
    attempt_id: int | None = None,
) -> None:
    """The next generation of a legacy token.

    The ones before it stay: the new one is not yet known to work.
    """
    db.execute(
        """INSERT INTO legacy_tokens
           (connection_id, generation, attempt_id, material, token_print, expires_at)
           SELECT ?1, coalesce(max(generation), 0) + 1, ?2, ?3, ?4, ?5
           FROM legacy_tokens WHERE connection_id = ?1""",
        [
            connection_id,
            attempt_id,
            codec.seal_legacy(legacy),
            codec.token_print(legacy),
            maybe_time_text(legacy.expires_at),
        ],
    )


def was_held(db: sqlite3.Connection, codec: Codec, connection_id: int, legacy: LegacyToken) -> bool:
    """Whether some generation was this token with this secret and handle.

    Of one that was purged only the token is known: it counts, so that no row brings back what was purged.
    """
    generations = db.execute(
        "SELECT material FROM legacy_tokens WHERE connection_id = ? AND token_print = ?",
        [connection_id, codec.token_print(legacy)],
    )
    return any(
        not sealed or material(codec.open_legacy(sealed, None)) == material(legacy)
        for (sealed,) in generations
    )


def set_expiry(db: sqlite3.Connection, connection_id: int, expires_at: datetime | None) -> None:
    """When the newest generation of a legacy token ends, as somebody who knows better says."""
    db.execute(
        """UPDATE legacy_tokens SET expires_at = ? WHERE id =
           (SELECT id FROM legacy_tokens WHERE connection_id = ? ORDER BY generation DESC LIMIT 1)""",
        [maybe_time_text(expires_at), connection_id],
    )
