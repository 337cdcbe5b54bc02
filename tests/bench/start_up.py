"""How long it takes until a command line tool shows its help."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.bench.figures import Figure, Goal, Part
from tests.bench.processes import taken
from tests.bench.serving import ROOT

_OTHERS = {"sqlite-utils --help": "sqlite_utils", "twine --help": "twine"}
_TIMES = 5
"""Starts for each round: they are short, and differ."""


def start_up(folder: Path, rounds: int) -> list[Part]:
    """``--help`` of ours and of others, in turn."""
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    modules = {"migrator --help": "migrator", **_OTHERS}
    seconds: dict[str, list[float]] = {who: [] for who in modules}
    for _ in range(_TIMES * rounds):
        for who, module in modules.items():
            shown = taken([sys.executable, "-m", module, "--help"], folder, environment)
            seconds[who].append(shown.seconds)
    quickest = tuple(map(min, *(seconds[who] for who in _OTHERS)))
    goals = {"migrator --help": Goal(1.0, beside=quickest, other="the quicker one's")}
    figures = (Figure(who, tuple(each), "s", goals.get(who)) for who, each in seconds.items())
    return [Part("Until the help is shown", tuple(figures))]
