"""Runs an export or a purge, and kills it, with SIGKILL, at a named step.

``python -m tests.handover.killed_export STEP -- MIGRATOR-ARGUMENTS``
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from migrator import cli, output_files
from migrator.handover import destinations
from migrator.ledger import purge
from migrator.ledger.exports import Exports
from migrator.ledger.file import opening

EXPORT_STEPS = (
    "before intent",
    "after intent",
    "while writing",
    "before seal",
    "after seal",
    "after link",
    "after naming",
    "before finish",
    "after finish",
)
PURGE_STEPS = ("before commit", "after commit", "during vacuum", "after vacuum")

NAMED = ("after link", "after naming", "before finish", "after finish")
"""The steps of an export after which its file has its name."""

_LOOKS = 20
"""How often SQLite asks whether it shall go on before a VACUUM is killed."""


class Killer:
    """Strikes at one step."""

    def __init__(self, step: str) -> None:
        self._step = step

    def reached(self, step: str) -> None:
        if step == self._step:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(
        self, function: Callable[..., Any], *, before: str = "", after: str = ""
    ) -> Callable[..., Any]:
        """The same function, with an ear before and after it."""

        def heard(*arguments: Any, **keywords: Any) -> Any:
            self.reached(before)
            result = function(*arguments, **keywords)
            self.reached(after)
            return result

        return heard


def arm_export(killer: Killer) -> None:
    """Put the killer's ears to each step of an export."""
    hooks: dict[str, Any] = {
        "begin": killer.around(Exports.begin, before="before intent", after="after intent"),
        "seal": killer.around(Exports.seal, before="before seal", after="after seal"),
        "finish": killer.around(Exports.finish, before="before finish", after="after finish"),
        "taken": _taken(killer, Exports.taken),
    }
    for name, hook in hooks.items():
        setattr(Exports, name, hook)
    setattr(destinations, "give_name", killer.around(output_files.give_name, after="after naming"))  # noqa: B010
    Path.hardlink_to = killer.around(Path.hardlink_to, after="after link")  # type: ignore[method-assign]


def _taken(killer: Killer, taken: Callable[..., Any]) -> Callable[..., Any]:
    def heard(*arguments: Any) -> Any:
        for number, pair in enumerate(taken(*arguments)):
            yield pair
            if number == 1:
                killer.reached("while writing")

    return heard


def arm_purge(killer: Killer) -> None:
    """Put the killer's ears to each step of a purge."""

    def connect(*arguments: Any, **keywords: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(*arguments, **keywords)
        instructions = 0

        def progress() -> int:
            nonlocal instructions
            instructions += 1
            if instructions == _LOOKS:
                killer.reached("during vacuum")
            return 0

        if sys._getframe(1).f_code.co_name == "wipe":
            connection.set_progress_handler(progress, 50)
        return connection

    real = opening.connect
    forget, wipe = purge.purge, purge.wipe

    purge.purge = killer.around(forget, after="before commit")
    purge.wipe = killer.around(wipe, before="after commit", after="after vacuum")
    opening.connect = connect


if __name__ == "__main__":
    step, _, *arguments = sys.argv[1:]
    (arm_purge if "purge" in arguments else arm_export)(Killer(step))
    sys.argv = ["migrator", *arguments]
    cli.main()
