"""What a report is made of, and what a format is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from migrator.ledger.lists import Listed
from migrator.ledger.runs import Run
from migrator.ledger.status import Status


@dataclass(frozen=True)
class Facts:
    """What the ledger says at one moment. Holds no token, secret or handle."""

    generated_at: datetime
    provider: str
    """The provider's name for people."""
    swapped_types: tuple[str, ...]
    """The application types whose connections are swapped; empty where all are."""
    status: Status
    runs: Sequence[Run]
    deadline: date | None
    connections: Callable[[], Iterable[Listed]]
    """Every connection in order, anew at each call: there may be more than fit into memory."""
    needs_consent: Callable[[], Iterable[Listed]]
    problems: Callable[[], Iterable[Listed]]
    """What failed, is uncertain, or does not reach its tenant."""
    rejects: Callable[[], Iterable[tuple[str, int, str, str]]]
    """Source, line, reason and detail."""
    days_of_end: Callable[[], Iterable[tuple[str, int, int]]]
    """Day (UTC) on which refresh tokens end, how many that wait to be handed over, how many handed over."""


class Format(Protocol):
    """One way to write a report."""

    def __call__(self, facts: Facts) -> Iterator[str]:
        """The report, piece by piece."""
