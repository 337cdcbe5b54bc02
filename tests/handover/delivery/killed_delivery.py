"""Delivers, and kills itself, with SIGKILL, at a named step of its second delivery.

``python -m tests.handover.delivery.killed_delivery STEP -- MIGRATOR-ARGUMENTS``
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from migrator import cli
from migrator.handover import deliverer
from migrator.handover.receivers.program import Program
from migrator.handover.receivers.table import DatabaseTable
from migrator.handover.receivers.webhook import Webhook
from migrator.ledger.deliveries import Deliveries

STEPS = ("before intent", "after intent", "after hand-over", "after finish")
ARRIVED = ("after hand-over", "after finish")
"""The steps after which the receiver has the delivery."""

_SECOND = 2


def around(
    function: Callable[..., Any], step: str, *, before: str = "", after: str = ""
) -> Callable[..., Any]:
    """The same function, with an ear before and after its second call."""
    calls = 0

    def heard(*arguments: Any, **keywords: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == _SECOND and step == before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **keywords)
        if calls == _SECOND and step == after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return heard


if __name__ == "__main__":
    step, _, *arguments = sys.argv[1:]
    setattr(deliverer, "_MOST", 2)  # noqa: B010 - two pairs a delivery
    hooks: dict[str, Any] = {
        "begin": around(Deliveries.begin, step, before="before intent", after="after intent"),
        "finish": around(Deliveries.finish, step, after="after finish"),
    }
    for name, hook in hooks.items():
        setattr(Deliveries, name, hook)
    for receiver in (DatabaseTable, Program, Webhook):
        setattr(receiver, "deliver", around(receiver.deliver, step, after="after hand-over"))  # noqa: B010
    sys.argv = ["migrator", *arguments]
    cli.main()
