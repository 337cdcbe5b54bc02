"""Runs migrator and kills it, with SIGKILL, at a named step of its n-th call of one kind.

``python -m tests.killed_at STEP ACTION N -- MIGRATOR-ARGUMENTS``; the steps are those of the two-step.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from typing import Any

from migrator import cli
from migrator.ledger import calls
from migrator.ledger.calls import EndedCall
from migrator.ledger.job_ledger import Ledger
from migrator.models import Action, Standing
from migrator.wire.answers_read import AnswerReader, Arriving
from migrator.wire.http import HttpWire

STEPS = ("before intent", "after intent", "after send", "after answer", "before commit", "after commit")


class Killer:
    """Counts the calls of one kind, and strikes at a step of the n-th."""

    def __init__(self, step: str, action: Action, number: int) -> None:
        self._step = step
        self._action = action
        self._left = number
        self._armed = False

    def begins(self, action: Action) -> None:
        if action is self._action:
            self._left -= 1
        self._armed = action is self._action and self._left == 0

    def reached(self, step: str) -> None:
        if self._armed and step == self._step:
            os.kill(os.getpid(), signal.SIGKILL)


def arm(killer: Killer) -> None:
    """Put the killer's ears to each step. One worker only: it cannot tell calls apart."""
    begin, end, send = Ledger.begin_call, Ledger.end_call, HttpWire.send
    write, head = calls.end_calls, AnswerReader.head

    def begin_call(self: Ledger, standing: Standing, action: Action) -> int | None:
        killer.begins(action)
        killer.reached("before intent")
        attempt = begin(self, standing, action)
        killer.reached("after intent")
        return attempt

    def read_head(self: AnswerReader) -> Arriving:
        killer.reached("after send")
        return head(self)

    def send_request(self: HttpWire, request: Any) -> Any:
        result = send(self, request)
        killer.reached("after answer")
        return result

    def write_end(db: sqlite3.Connection, *arguments: Any) -> list[bool]:
        valid = write(db, *arguments)
        killer.reached("before commit")
        return valid

    def end_call(self: Ledger, call: EndedCall) -> None:
        end(self, call)
        killer.reached("after commit")

    Ledger.begin_call = begin_call  # type: ignore[method-assign]
    Ledger.end_call = end_call  # type: ignore[method-assign]
    HttpWire.send = send_request  # type: ignore[method-assign]
    AnswerReader.head = read_head  # type: ignore[method-assign]
    calls.end_calls = write_end  # type: ignore[assignment]


if __name__ == "__main__":
    step, action, number, _, *arguments = sys.argv[1:]
    arm(Killer(step, Action(action), int(number)))
    sys.argv = ["migrator", *arguments]
    cli.main()
