"""How much of a provider's limit is used, and how many calls are refused."""

from __future__ import annotations

from pathlib import Path

from tests.torture.stage import scene


def pace(folder: Path, *, seconds: int, seed: int) -> tuple[float, int, int]:
    """Run against ``limit=10000/min`` at 150 ms: share of the limit used, calls refused, calls made."""
    rate = 10_000 / 60
    count = int(rate * seconds)
    with scene(
        folder, count, "latency=150ms", "limit=10000/min", seed=seed, timeout=10, expired=0.0
    ) as stage:
        stage.migrator("-q", "run", "tokens.csv", "--limit", "1")
        stage.migrator("-q", "resume", "--concurrency", "64")
        ((first, last, number),) = stage.query(
            """SELECT min(julianday(started_at)), max(julianday(started_at)), count(*) FROM attempts
               WHERE run_id = 2"""
        )
        share = (number - 1) / ((last - first) * 86400) / rate
        return share, stage.sandbox.stats(tokens=False)["requests_refused_429"], number
