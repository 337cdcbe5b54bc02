"""Runs migrator with its clock moved, as nobody can wait for thirty days.

``python -m tests.at_time +25d -- MIGRATOR-ARGUMENTS``, or ``python -m tests.at_time +25d MODULE ARGUMENTS``
for another program that runs migrator.
"""

from __future__ import annotations

import re
import runpy
import sys
from datetime import datetime, timedelta

from migrator import models

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def duration(text: str) -> timedelta:
    """``+25d``, ``-90m``, ``+3.5s``."""
    match = re.fullmatch(r"([+-]\d+(?:\.\d+)?)([dhms])", text)
    if match is None:
        raise ValueError(f"{text!r} is no duration: say +25d")
    return timedelta(**{_UNITS[match[2]]: float(match[1])})


def move(seconds: float) -> None:
    """Move the clock of every module of migrator, whether it is imported already or not."""
    real, by = models.utc_now, timedelta(seconds=seconds)

    def moved() -> datetime:
        return real() + by

    for name, module in list(sys.modules.items()):
        if name.startswith("migrator.") and getattr(module, "utc_now", None) is real:
            vars(module)["utc_now"] = moved


if __name__ == "__main__":
    offset, module, *arguments = sys.argv[1:]
    move(duration(offset).total_seconds())
    if module == "--":
        module = "migrator"
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
