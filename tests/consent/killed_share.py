"""Runs migrator and kills it, with SIGKILL, at a named step of letting one pair serve several connections.

``python -m tests.consent.killed_share STEP -- MIGRATOR-ARGUMENTS``
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from migrator import cli
from migrator.ledger import shared_pairs
from migrator.ledger.open_ledger import OpenLedger

UNDONE = ("before the first", "after the first", "after the last")
"""The steps before the commit, all of which are undone by a kill."""
GIVING = "after giving"
"""The pair has another owner: a step of those consents only that did not connect what they were asked for."""
STEPS = (*UNDONE, GIVING, "after commit")


def arm(wanted: str) -> None:
    """Strike at one step."""

    def reached(step: str) -> None:
        if step == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(function: Callable[..., Any], before: str, after: str) -> Callable[..., Any]:
        def heard(*arguments: Any) -> Any:
            reached(before)
            result = function(*arguments)
            reached(after)
            return result

        return heard

    def share(*arguments: Any) -> None:
        settled = len(settlements)
        shared(*arguments)
        if len(settlements) > settled:
            reached("after the last")

    def settle(*arguments: Any) -> None:
        settlements.append(arguments)
        settled(*arguments)

    def record(self: OpenLedger, *arguments: Any) -> None:
        recorded(self, *arguments)
        if settlements:
            reached("after commit")

    settlements: list[Any] = []
    shared, settled, recorded = shared_pairs.share, shared_pairs._settle, OpenLedger._record
    shared_pairs.share = share  # type: ignore[assignment]
    shared_pairs._settle = around(settle, "before the first", "after the first")
    shared_pairs._give = around(shared_pairs._give, "", GIVING)
    OpenLedger._record = record  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    step, _, *arguments = sys.argv[1:]
    arm(step)
    sys.argv = ["migrator", *arguments]
    cli.main()
