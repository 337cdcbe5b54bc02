"""Pairs of users that nobody has seen work, because the provider was in trouble: verified meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from migrator.consent.exchange import Exchange
from migrator.errors import LedgerUnwritableError
from migrator.ledger.consent_ledger import ConsentLedger

log = logging.getLogger(__name__)

_INTERVAL = 5.0
"""Seconds between two looks for such pairs."""


def verify_pairs(
    ledger: ConsentLedger,
    exchange: Exchange,
    left: Iterable[int],
    stop: threading.Event,
    on_unwritable: Callable[[BaseException], None],
) -> None:
    """Verify them until ``stop`` is set: those of an earlier process at once, ours when they are due.

    ``left`` are the ids of the connections whose pairs an earlier process left. ``on_unwritable`` is told
    when the ledger cannot be written.
    """
    try:
        unverified = left
        while not stop.is_set():
            for connection_id in unverified:
                if stop.is_set():
                    return
                exchange.verify(connection_id)
            stop.wait(_INTERVAL)
            unverified = ledger.unverified()
    except LedgerUnwritableError as error:
        on_unwritable(error)
    except Exception as error:  # noqa: BLE001 - 'migrator resume' does it too
        log.warning("looking after earlier consents failed: %s", type(error).__name__)
