"""``verify`` but for the command line: pairs are seen to work."""

from __future__ import annotations

from datetime import UTC, datetime

from migrator.engine.engine import Engine
from migrator.handover.upkeep import UpkeepResult, work_through
from migrator.rules.agenda import Work

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def verify(engine: Engine, *, again: bool) -> UpkeepResult:
    """Ask, with each access token, which tenants it reaches; ``again`` includes those asked before."""
    return work_through(engine, "verify", Work.VERIFY, engine.clock() if again else _EVER)
