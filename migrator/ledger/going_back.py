"""How many connections could still go back to their legacy token. Reads only."""

from __future__ import annotations

import sqlite3

from migrator.ledger.file.times import time_text
from migrator.rules.going_back import Back, Nobody, NobodyKnows

# Few were renewed or disabled, as a rule: all are counted in an index, and those taken off.
_ENDED_BY_US = """
    SELECT count(*) FROM connections c
    WHERE c.state = 'migrated'
          AND c.id IN (SELECT connection_id FROM attempts
                       WHERE action = 'disable' OR (action = 'renew' AND outcome = 'done'))
          AND (c.disabled_at IS NOT NULL
               OR c.id IN (SELECT connection_id FROM attempts WHERE action = 'renew' AND outcome = 'done'))
          AND {swapped}
"""
_MIGRATED = "SELECT count(*) FROM connections c WHERE c.state = 'migrated' AND {swapped}"
_SINCE = """
    c.id IN (SELECT connection_id FROM attempts
             WHERE action = 'swap' AND outcome = 'done' AND finished_at > :moment)
"""


def could_go_back(db: sqlite3.Connection, who: Back) -> int | None:
    """So many connections that are migrated; None where nobody knows."""
    if isinstance(who, NobodyKnows):
        return None
    if isinstance(who, Nobody):
        return 0
    swapped = "true" if who.moment is None else _SINCE
    moment = {} if who.moment is None else {"moment": time_text(who.moment)}
    (migrated,) = db.execute(_MIGRATED.format(swapped=swapped), moment).fetchone()
    (ended,) = db.execute(_ENDED_BY_US.format(swapped=swapped), moment).fetchone()
    return int(migrated - ended)
