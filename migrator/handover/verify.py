"""``verify`` but for the command line: pairs are seen to work."""

from __future__ import annotations

from datetime import UTC, datetime

from migrator.engine.engine import Engine
from migrator.errors import ConfigurationError
from migrator.handover.upkeep import UpkeepResult, work_through
from migrator.rules.agenda import Work

BILLED_SAMPLE = 100
"""So many pairs are asked about where the provider bills each question."""
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def verify(engine: Engine, *, again: bool, sample: int | None = None) -> UpkeepResult:
    """Ask, with each access token, what it reaches.

    ``again`` includes those asked before. At most ``sample`` pairs are asked about, where it is given; where
    the provider bills each question, a sample is all unless ``again`` asks for everybody. Raises
    ``ConfigurationError`` where the provider cannot be asked.
    """
    terms = engine.policy.terms
    if not terms.verifies:
        raise ConfigurationError(
            f"{engine.profile.title} cannot be asked whether an access token works:"
            " its profile has no [verify]",
            hint="'migrator refresh --all' shows whether the refresh tokens do" if terms.refreshes else "",
        )
    limit = BILLED_SAMPLE if sample is None and terms.verify_billed and not again else sample
    work = Work.VERIFY if terms.refreshes else Work.VERIFY_LIVING
    return work_through(engine, "verify", work, engine.clock() if again else _EVER, limit=limit)
