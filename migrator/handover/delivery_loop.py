"""Hands pairs over in a thread of its own while a job wins them, and holds that up where they pile up."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from migrator import waiting
from migrator.engine.delivery import NOBODY_TAKES, Delivering
from migrator.handover.deliverer import Deliverer
from migrator.handover.receivers.interface import Receiver, UnavailableError
from migrator.ledger.deliveries import Deliveries
from migrator.ledger.file import lock
from migrator.models import Clock
from migrator.rules.lag import LagLimit, Unlimited, is_behind
from migrator.terminal.progress import Progress
from migrator.wording import counted

log = logging.getLogger(__name__)

_LOOK = 0.02
"""Seconds between two looks at the outbox."""
_LOOK_HELD = 0.1
"""The same between two of a worker whether it may go on."""
_BETWEEN_WORDS = 60.0
"""And between two words on that."""
_STAND_BY = 0.1
"""The same between two whether another process still delivers."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
"""Seconds until a receiver that takes nothing is asked again: twice as long each time."""
_LAST_WORDS = 10.0
"""Seconds for which what was won is still handed over when the job has ended."""
_LONGEST_END = 30.0
"""Seconds after which a receiver that does not answer is left."""
_BETWEEN_COUNTS = 0.5
"""Seconds between two counts of what is left: it may be much."""
_COUNTED = 1_000_000
"""What waits is counted no further."""


@dataclass(frozen=True)
class BackgroundDelivery:
    """A hand-over beside a job."""

    receiver: Receiver
    limit: LagLimit | Unlimited
    clock: Clock
    progress: Progress
    only_new: bool = False
    """Whether what waits already is left until the job has ended."""

    @contextmanager
    def beside(self, deliveries: Deliveries, ledger: Path, stop: threading.Event) -> Iterator[Delivering]:
        with lock.deliveries_if_free(ledger, self.receiver.name):
            pass  # nobody delivers to anybody else
        deliveries.begin_for(self.receiver.name)
        since = self.clock() if self.only_new else None
        deliverer = Deliverer(deliveries, self.receiver, self.clock, since)
        loop = DeliveryLoop(deliverer, ledger, self.limit, self.progress, self.clock, stop)
        loop.start()
        try:
            yield loop
        finally:
            loop.end()
            loop.raise_if_any()  # before what it has brought about


@dataclass(frozen=True)
class PutOffDelivery:
    """Nothing is handed over now, and what is won waits for it."""

    receiver: str
    """By name."""

    @contextmanager
    def beside(self, deliveries: Deliveries, ledger: Path, stop: threading.Event) -> Iterator[Delivering]:
        del ledger, stop
        deliveries.begin_for(self.receiver)
        yield NOBODY_TAKES


class DeliveryLoop:
    """One thread that delivers; all others ask it how far it is.

    Of several processes one delivers, and the others stand by, should it end.
    """

    def __init__(
        self,
        deliverer: Deliverer,
        ledger: Path,
        limit: LagLimit | Unlimited,
        progress: Progress,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        """``stop`` is set when the job shall end; a fault sets it, too."""
        self._deliverer = deliverer
        self._ledger = ledger
        self._limit = limit
        self._progress = progress
        self._clock = clock
        self._stop = stop
        self._ending = threading.Event()
        self._is_held = False
        self._told_at = -math.inf
        self._told_that_none = False
        self._gone: UnavailableError | None = None
        self._held = threading.Lock()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="deliveries", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def end(self) -> None:
        """Hand over what was won, as far as the receiver takes it, and stop."""
        self._ending.set()
        self._thread.join(_LONGEST_END)
        if self._thread.is_alive():  # what it has begun, the next process finds out
            log.warning("%s does not answer: left", self._deliverer.receiver.name)
        else:
            self._deliverer.close()

    def raise_if_any(self) -> None:
        """Raise what ended it."""
        if self._fault is not None:
            raise self._fault

    # --- what the job asks ---

    def holds_up(self, stop: threading.Event) -> bool:
        if isinstance(self._limit, Unlimited):
            return False
        if not (self._is_held or self._is_behind(self._limit)):
            return False
        if self._held.acquire(blocking=False):  # one of those who wait looks
            try:
                self._hold_up(self._limit, stop)
            finally:
                self._is_held = False
                self._held.release()
        while self._is_held and not waiting.until_set(stop, _LOOK_HELD):
            pass
        return True

    def has_taken(self, connection_ids: Sequence[int]) -> bool:
        while not self._stop.is_set():
            found = self._deliverer.deliveries.waiting_of(connection_ids)
            if found.refused:
                return False
            if not found.waiting:
                if len(found.delivered) < len(connection_ids):
                    return False
                with suppress(UnavailableError):
                    return self._deliverer.has(found.delivered)
            waiting.until_set(self._stop, _LOOK)
        return False

    def drain(self) -> int:
        deliveries = self._deliverer.deliveries
        self._deliverer.since = None
        left = deliveries.backlog(_COUNTED).pairs
        if left:
            self._progress.start("delivering", left)
        counted_at = time.monotonic()
        while deliveries.backlog(1).pairs and not waiting.until_set(self._stop, _LOOK):
            if time.monotonic() - counted_at > _BETWEEN_COUNTS:
                before, left, counted_at = left, deliveries.backlog(_COUNTED).pairs, time.monotonic()
                self._progress.advance(number=max(0, before - left))
        rest = deliveries.backlog(_COUNTED).pairs
        self._progress.advance(number=max(0, left - rest))
        self._progress.stop()
        return rest + deliveries.refused()

    def _hold_up(self, limit: LagLimit, stop: threading.Event) -> None:
        self._is_held = True
        told = time.monotonic() - self._told_at > _BETWEEN_WORDS
        if told:
            self._told_at = time.monotonic()
            number = self._deliverer.deliveries.backlog(limit.pairs + 1).all
            pairs, name = counted(number, "pair waits", "pairs wait"), self._deliverer.receiver.name
            log.warning("%s for %s: no swaps until it takes them", pairs, name)
        while self._is_behind(limit.to_go_on) and not waiting.until_set(stop, _LOOK):
            pass
        if told and not stop.is_set():
            self._progress.note("the receiver takes pairs: swapping goes on")

    def _is_behind(self, limit: LagLimit) -> bool:
        if self._deliverer.refuses_all:
            return True
        backlog = self._deliverer.deliveries.backlog(limit.pairs + 1)
        waited = self._clock() - backlog.since if backlog.since is not None else timedelta(0)
        return is_behind(backlog.all, waited, limit)

    # --- its thread ---

    def _serve(self) -> None:
        try:
            while not self._ending.is_set():
                with lock.deliveries_if_free(self._ledger, self._deliverer.receiver.name) as free:
                    if free:
                        self._deliver_until_the_end()
                        return
                self._ending.wait(_STAND_BY)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the job was started
            self._fault = error
            self._stop.set()

    def _deliver_until_the_end(self) -> None:
        pause = _FIRST_PAUSE
        ends: float | None = None
        while True:
            try:
                delivered = self._deliverer.deliver()
                pause = _FIRST_PAUSE
                self._came_back()
                self._tell_if_it_takes_none()
            except UnavailableError as error:
                self._went(error)
                if self._ending.wait(pause):
                    return
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            if self._ending.is_set():
                ends = ends or time.monotonic() + _LAST_WORDS
                if not delivered or time.monotonic() > ends:
                    return
            elif not delivered:
                self._ending.wait(_LOOK)

    def _went(self, error: UnavailableError) -> None:
        if self._gone is None:
            log.warning("%s takes nothing now: %s", self._deliverer.receiver.name, error)
        self._gone = error

    def _tell_if_it_takes_none(self) -> None:
        if self._deliverer.refuses_all and not self._told_that_none:
            name, why = self._deliverer.receiver.name, self._deliverer.refuses_all
            log.warning("%s takes none of the pairs: %s", name, why)
        self._told_that_none = bool(self._deliverer.refuses_all)

    def _came_back(self) -> None:
        if self._gone is not None:
            self._progress.note(f"{self._deliverer.receiver.name} takes pairs again")
        self._gone = None
