"""What a job asks of a hand-over that goes on beside it; nothing, where there is none."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from migrator.ledger.deliveries import Deliveries


class Delivering(Protocol):
    """A hand-over under way."""

    def holds_up(self, stop: threading.Event) -> bool:
        """Whether the job has won more than the application could take: waits until that is over, or the job
        is told to stop.
        """

    def has_taken(self, connection_ids: Sequence[int]) -> bool:
        """Wait until the pairs of some connections are seen in the application, or the job is told to stop;
        False if one of them was refused, or is not to be seen.
        """

    def drain(self) -> int:
        """Wait until all that was won is handed over, or the job is told to stop; returns what is not."""


class Delivery(Protocol):
    """A hand-over that can go on beside a job."""

    def beside(
        self, deliveries: Deliveries, ledger: Path, stop: threading.Event
    ) -> AbstractContextManager[Delivering]:
        """Hand over what the ledger wins, until the end of the block; what was won by then still goes over.

        ``stop`` is set when the job shall end. Raises ``LedgerLockedError`` if another process delivers.
        """


class _NobodyTakes:
    """There is nothing to wait for."""

    def holds_up(self, stop: threading.Event) -> bool:
        del stop
        return False

    def has_taken(self, connection_ids: Sequence[int]) -> bool:
        del connection_ids
        return True

    def drain(self) -> int:
        return 0


class NoDelivery:
    """Pairs stay in the ledger until somebody exports them."""

    @contextmanager
    def beside(self, deliveries: Deliveries, ledger: Path, stop: threading.Event) -> Iterator[Delivering]:
        del deliveries, ledger, stop
        yield NOBODY_TAKES


NOBODY_TAKES: Delivering = _NobodyTakes()
NO_DELIVERY: Delivery = NoDelivery()
