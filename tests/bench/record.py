"""What was measured, as Markdown: on which machine, when, and by which command."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figures import Part
from tests.bench.growth import NOTE, Point, growth_table, steeper
from tests.bench.plot import plot
from tests.bench.table import table, unmet

PLOT = "growth.svg"
MARKDOWN = "bench.md"


def circumstances(arguments: Sequence[str]) -> str:
    """Machine, versions, moment and command, in a line."""
    command = " ".join(["python -m tests.bench", *arguments])
    return (
        f"{os.cpu_count()} processors ({processor()}), {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC: `{command}`"
    )


def processor() -> str:
    """What the processor is called, as far as the system says."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def write(folder: Path, about: str, parts: Sequence[Part], points: Sequence[Point]) -> Path:
    """Write it into a folder, which is made if it is not there; returns the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = ["# Measured", about]
    for part in parts:
        texts += [f"## {part.title}", *([part.note] if part.note else []), table(part, "github")]
    if points:
        (folder / PLOT).write_text(plot(points, "Time against the number of connections"), "utf-8")
        texts += ["## Growth", NOTE, growth_table(points, "github"), f"![Time by connections]({PLOT})"]
    if missed := [*unmet(parts), *steeper(points)]:
        texts += ["## Missed", "\n".join(f"- {line}" for line in missed)]
    path = folder / MARKDOWN
    path.write_text("\n\n".join(texts) + "\n", "utf-8")
    return path
