"""Peak memory against the number of connections."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

from tests.torture.stage import scene


def memory(folder: Path, count: int) -> tuple[int, int]:
    """Peak resident memory, in MiB, of a run over so many connections, and of a resume; each swaps 150."""
    with scene(folder, 300, seed=1, timeout=10, expired=0.0) as stage:
        with (stage.folder / "tokens.csv").open("a", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            for number in range(count - 300):
                tenant = f"00000000-0000-4000-8000-{number:012d}"
                about = ["partner", f"Organisation {number}", tenant, "ORGANISATION", "a@example.org"]
                token = [f"T{number:030d}", f"S{number:030d}", f"H{number:018d}", ""]
                writer.writerow([f"more-{number}", *about, *token])
        peaks = []
        for command in (["run", "tokens.csv"], ["resume"]):
            stage.folder.joinpath("peak").unlink(missing_ok=True)
            subprocess.run(
                [sys.executable, "-c", _MEASURED, "-q", *command, "--limit", "150"],
                cwd=stage.folder,
                env=stage.clean_environment(),
                stdout=subprocess.DEVNULL,
                check=True,
            )
            peaks.append(int(stage.folder.joinpath("peak").read_text("ascii")) // 1024)
        return peaks[0], peaks[1]


_MEASURED = """
import resource, sys
from pathlib import Path
from migrator import cli
try:
    cli.main()
finally:
    Path("peak").write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
"""
