"""Fault injection: which calls a fault hits, and what then becomes of the call and of its answer."""

from __future__ import annotations

import random
import threading
from enum import StrEnum
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.sandbox.http.faults import Faults
    from migrator.sandbox.http.late_calls import LateCalls


class CallFault(StrEnum):
    """What goes wrong with one call."""

    NONE = "none"
    HTTP_503 = "http-503"
    """Refused at the door; no effect."""
    LATE = "late"
    """The connection is closed, and the effect comes some time afterwards."""
    DROP_RESPONSE = "drop-response"
    """The full effect, and the connection is closed without a byte of the answer."""
    GARBAGE = "garbage"
    """The full effect, and a 200 whose body cannot be read."""


class FaultInjector:
    """Decides which call which fault hits; the same seed gives the same sequence of decisions."""

    def __init__(self, faults: Faults, seed: int | None) -> None:
        self._late_delay = faults.late_delay
        self._shares = (
            (CallFault.HTTP_503, faults.http_503),
            (CallFault.LATE, faults.late),
            (CallFault.DROP_RESPONSE, faults.drop_response),
            (CallFault.GARBAGE, faults.garbage),
        )
        self._random = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._lock = threading.Lock()

    def choose(self) -> CallFault:
        """What goes wrong with the next call; each kind has its own chance, and one call has one fault."""
        with self._lock:
            for fault, share in self._shares:
                if self._random.random() < share:
                    return fault
        return CallFault.NONE

    def inject(
        self,
        fault: CallFault,
        carry_out: Callable[[], Answer],
        refuse: Callable[[], Answer],
        late_calls: LateCalls,
    ) -> Answer | None:
        """What goes back to the client; ``carry_out`` answers the call, ``refuse`` refuses it with a 503.

        None: the connection is to be closed without an answer.
        """
        match fault:
            case CallFault.NONE:
                return carry_out()
            case CallFault.HTTP_503:
                return refuse()
            case CallFault.LATE:
                late_calls.after(self._late_delay, carry_out)
                return None
            case CallFault.DROP_RESPONSE:
                carry_out()
                return None
            case CallFault.GARBAGE:
                answer = carry_out()
                return Answer(200, self.garble(answer.body), answer.content_type)

    def garble(self, body: bytes) -> bytes:
        """A body that cannot be taken for a whole answer: its beginning, or noise."""
        with self._lock:
            if body and self._random.choice((True, False)):
                # Little enough to lack the secret of a form-encoded token: a cut inside it would go unseen.
                return body[: self._random.randrange(1 + len(body) // 6)]
            return b"\xff\x00" + self._random.randbytes(40)
