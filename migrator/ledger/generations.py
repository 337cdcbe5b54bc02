"""Which of two pairs of one connection is the newer one: a number for each, which receivers compare."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from migrator.ledger.file.times import time_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

EARLIER = """(
    SELECT json_array(max(q.obtained_at), count(*)) FROM token_pairs q
    WHERE q.connection_id = p.connection_id AND q.id < p.id)"""
"""Of a pair ``p``: when the last of its connection's earlier ones was stored, and how many there were."""


def generation_of(obtained_at: str, earlier: str) -> int:
    """Of a pair that was stored at a moment: microseconds since the beginning of 1970 (UTC).

    ``earlier`` is what ``EARLIER`` gives: one that came later has a greater generation, though somebody has
    set the clock back meanwhile.
    """
    last, number = json.loads(earlier)
    moment = time_of(max(obtained_at, last or ""))
    return (moment - _EPOCH) // timedelta(microseconds=1) + int(number)
