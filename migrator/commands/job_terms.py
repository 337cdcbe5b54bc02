"""What a job goes by, before anything works on it: the settings as the command line changes them, and what
rows must have.

Commands import it once they are called. Apart from ``make_engine``: a dry run needs no engine, and no HTTP.
"""

from __future__ import annotations

from dataclasses import replace

from migrator.commands.profiles import profile_of
from migrator.row_rules import RowRules
from migrator.settings.credentials import consumer_keys
from migrator.settings.model import Settings


def with_options(
    settings: Settings, concurrency: int | None, rate: int | None, *, believe_refusals: bool
) -> Settings:
    """The settings, with what the command line says instead."""
    job = settings.job
    job = replace(
        job,
        concurrency=concurrency or job.concurrency,
        rate_per_minute=rate or job.rate_per_minute,
        believe_refusals=believe_refusals,
    )
    return replace(settings, job=job)


def row_rules_of(settings: Settings) -> RowRules:
    """What rows must have, so that the provider can be called for them; needs no secret."""
    return profile_of(settings).row_rules(consumer_keys(settings) or None)
