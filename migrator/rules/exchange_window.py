"""Whether a provider's exchange is open. Pure."""

from __future__ import annotations

from datetime import date, datetime
from urllib.parse import urlsplit

from migrator.loopback import is_loopback
from migrator.providers import Profile


def closed_since(profile: Profile, now: datetime) -> date | None:
    """The day on which the exchange was closed, if it is; never for one that is played on this machine."""
    closes = profile.facts.closes
    if closes is None or closes.day >= now.date() or is_loopback(urlsplit(profile.base_url).hostname or ""):
        return None
    return closes.day
