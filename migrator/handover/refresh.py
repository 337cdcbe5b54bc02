"""``refresh`` but for the command line: pairs are kept alive until the application takes them over."""

from __future__ import annotations

from datetime import timedelta

from migrator.engine.delivery import Delivery
from migrator.engine.engine import Engine
from migrator.errors import ConfigurationError
from migrator.handover.upkeep import UpkeepResult, work_through
from migrator.rules.agenda import Work


def refresh(engine: Engine, delivery: Delivery, *, within: timedelta | None) -> UpkeepResult:
    """Refresh the pairs whose refresh token ends ``within`` that time, or every pair.

    ``delivery`` hands over what is won, and at the end what else waits.

    Raises ``ConfigurationError`` where the provider refreshes none.
    """
    if not engine.policy.terms.refreshes:
        raise ConfigurationError(
            f"{engine.profile.title} refreshes no pairs: its profile has no [refresh]",
            hint="there is nothing to keep alive: a pair lives as long as its access token",
        )
    now = engine.clock()
    if within is None:
        return work_through(engine, "refresh", Work.REFRESH_ALL, now, delivery=delivery)
    if engine.profile.facts.refresh_end_is_unknown:
        engine.progress.note(
            f"nobody knows how long refresh tokens of {engine.profile.title} live:"
            " 'migrator refresh --all' renews them all"
        )
    return work_through(engine, "refresh", Work.REFRESH_ENDING, now + within, delivery=delivery)
