"""What takes pairs while they are won: a delivery at a time, each under an id that stays its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from migrator.handover.shapes import Row


class UnavailableError(Exception):
    """A receiver that takes nothing now, and may later: its text says why, and no secret."""


@dataclass(frozen=True)
class Delivery:
    """Pairs that go to a receiver together."""

    id: str
    """Random. A delivery of which nobody knows whether it arrived comes again under the same id."""
    rows: Sequence[Row] = field(repr=False)
    """One a connection, known by its ``connection_id``, in the same order each time: the plain columns of an
    export, in the clear. Of one connection's pairs the newer one has the greater ``generation``.
    """


Refused = Mapping[str, str]
"""Connection ids that a receiver did not take, and why: a short text without any secret."""


class Receiver(Protocol):
    """Takes deliveries, one after the other. Used by one thread at a time."""

    @property
    def name(self) -> str:
        """As the ledger and messages name it; without a secret, and the same in every process."""

    def check(self) -> None:
        """See that it can be used, before anything is sent anywhere.

        Raises ``ConfigurationError`` or ``OutputError`` for what only somebody can mend, and
        ``UnavailableError``.
        """

    def deliver(self, delivery: Delivery) -> Refused:
        """Hand all rows over; returns once the receiver has them for good, those aside that it refused.

        One row that it does not take keeps no other one out. Raises ``UnavailableError`` where nobody knows
        whether it has them.
        """

    def settle(self, delivery: Delivery) -> Refused | None:
        """Bring a delivery to its end of which nobody knows whether it arrived.

        A receiver that can be asked is asked; another gets it once more, under the same id. Returns what it
        refused of one that has arrived by then; None of one that has not, and never will under this id.
        Raises ``UnavailableError`` where nobody knows still.
        """

    def has(self, rows: Sequence[Row]) -> bool:
        """Whether it can be seen to have these rows, or newer ones, as far as it lets itself be asked.

        Raises ``UnavailableError``.
        """

    def close(self) -> None:
        """Let go of it."""
