"""How many calls a provider takes, and how it says that they were too many."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from migrator.models import Action


@dataclass(frozen=True)
class Limit:
    """At most ``count`` calls in each window; or at most ``at_once`` calls under way together.

    Several hold together.
    """

    count: int = 0
    """0 where only ``at_once`` is limited."""
    window: timedelta = timedelta(0)
    calendar: bool = False
    """Whether the window begins with the minute, hour or day (UTC); else it slides."""
    at_once: int = 0
    """0 where it is not limited."""
    subject: Literal["application", "key", "tenant", "address"] = "application"
    """Whose calls are counted: those of the OAuth 2.0 application, of a consumer key, of one tenant, of this
    machine's address.
    """
    leave: float = 0.0
    """The share, from 0 to below 1, that the application's ordinary traffic needs."""
    shared: bool = False
    """Whether the application's ordinary traffic is counted, too: only then is anything left to it."""
    calls: frozenset[Action] = frozenset()
    """The calls that count; empty if all do."""
    name: str = ""
    """What an answer over the limit calls it; empty if nothing does."""
    remaining: str = ""
    """The header that says how many calls are left; empty if none does."""
    counts: Literal["window", "bucket", "unknown"] = "unknown"
    """What that header counts: calls left in the window, or tokens in a bucket that is refilled evenly."""
    source: str = ""


@dataclass(frozen=True)
class WaitFacts:
    """How an answer over a limit tells how long to wait, beside ``Retry-After`` (RFC 9110, 10.2.3)."""

    epoch_header: str = ""
    """A header with the moment from which on calls pass again, in epoch seconds."""
    field: str = ""
    """Path of a field with seconds."""
    limit_header: str = ""
    """A header that names the limit: see ``Limit.name``."""
