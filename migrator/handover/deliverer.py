"""Pairs to a receiver, a delivery at a time: intent in the ledger, hand-over, end in the ledger.

Whatever dies in between, the next one finds out what the receiver has, or hands the same over again under the
same id.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from migrator.handover.receivers.interface import Delivery, Receiver, Refused
from migrator.handover.receivers.table import KEY
from migrator.handover.shapes import plain, rows_a_connection
from migrator.handover.tables.writing import GENERATION
from migrator.ledger.deliveries import Begun, Deliveries
from migrator.models import Clock

_MOST = 500
"""Connections of one delivery."""


@dataclass
class Deliverer:
    """Hands over what waits in a ledger's outbox."""

    deliveries: Deliveries
    receiver: Receiver
    clock: Clock
    since: datetime | None = None
    """Leave what counted before that."""

    def __post_init__(self) -> None:
        self._in_use = threading.Lock()
        self._is_settled = False
        self._has_taken_some = self.deliveries.has_taken_some(self.receiver.name)
        self.refuses_all = ""
        """Why the receiver took nothing, where it has never taken anything: it is no row's fault, then."""

    def deliver(self) -> bool:
        """Make one delivery; False if nothing is due.

        Raises ``UnavailableError`` where the receiver cannot take it now, ``LedgerUnwritableError``.
        """
        with self._in_use:
            if not self._is_settled:
                self._settle()
            begun = self.deliveries.begin(self.receiver.name, str(uuid4()), most=_MOST, since=self.since)
            if begun is None:
                return False
            self._is_settled = False
            self._finish(begun, self.receiver.deliver(self._delivery(begun)))
            self._is_settled = True
            return True

    def has(self, generations: Mapping[str, int]) -> bool:
        """Whether the receiver can be seen to have pairs: key to generation. Raises ``UnavailableError``."""
        with self._in_use:
            return self.receiver.has([{KEY: key, GENERATION: each} for key, each in generations.items()])

    def close(self) -> None:
        """Let go of the receiver."""
        with self._in_use:
            self.receiver.close()

    def _settle(self) -> None:
        """Find out what became of deliveries that were under way when their process ended, or gave up."""
        for begun in self.deliveries.unfinished(self.receiver.name):
            refused = self.receiver.settle(self._delivery(begun))
            if refused is None:
                self.deliveries.cancel(begun)
            else:
                self._finish(begun, refused)
        self._is_settled = True

    def _finish(self, begun: Begun, refused: Refused) -> None:
        taken = self.deliveries.finish(begun, refused)
        if taken:
            self._has_taken_some, self.refuses_all = True, ""
        elif refused and not self._has_taken_some:
            self.refuses_all = next(iter(refused.values()))

    def _delivery(self, begun: Begun) -> Delivery:
        now = self.clock()
        rows = [row for taken in self.deliveries.taken(begun) for row in rows_a_connection(taken, plain, now)]
        return Delivery(begun.delivery_id, rows)
