"""How the deliveries stand, as text for people and as a document for scripts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from migrator.ledger.delivery_counts import DeliveryCounts
from migrator.terminal.durations import duration_text
from migrator.terminal.printable import printable
from migrator.wording import counted


def delivery_lines(counts: DeliveryCounts | None) -> list[str]:
    """What a person wants to know; nothing where nothing is to be delivered."""
    if counts is None:
        return []
    to = printable(", ".join(counts.receivers))
    line = f"{counted(counts.delivered, 'pair')} delivered to {to}, {counts.waiting:,} waiting"
    lines = [line]
    if counts.high is not None and counts.longest is not None:
        lines.append(
            f"from a pair won to its delivery: 99 % within {_short(counts.high)},"
            f" the longest {_short(counts.longest)}"
        )
    if counts.refused:
        lines.append(
            counted(counts.refused, "pair was", "pairs were")
            + " refused by the receiver: the view problems says why"
        )
    return lines


def delivery_document(counts: DeliveryCounts | None) -> Mapping[str, object] | None:
    """The same as a JSON document."""
    if counts is None:
        return None
    return {
        "to": list(counts.receivers),
        "delivered": counts.delivered,
        "waiting": counts.waiting,
        "waiting_since": counts.waiting_since.isoformat() if counts.waiting_since else None,
        "refused": counts.refused,
        "seconds": {
            "median": _seconds(counts.median),
            "99_percent": _seconds(counts.high),
            "longest": _seconds(counts.longest),
        },
    }


def _short(time: timedelta) -> str:
    seconds = time.total_seconds()
    return f"{seconds:.2g} s" if seconds < 60 else duration_text(time)  # noqa: PLR2004 - a minute


def _seconds(time: timedelta | None) -> float | None:
    return time.total_seconds() if time is not None else None
