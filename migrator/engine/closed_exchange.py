"""Stops a run before its first call, where the provider has closed its exchange: no call would be answered."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from migrator.errors import StoppedError
from migrator.loopback import is_loopback
from migrator.providers import Profile


def require_open(profile: Profile, now: datetime) -> None:
    """Raises ``StoppedError`` if the exchange is closed, unless the calls only go to this machine."""
    closes = profile.facts.closes
    if closes is None or closes.day >= now.date() or is_loopback(urlsplit(profile.base_url).hostname or ""):
        return
    raise StoppedError(
        f"{profile.title} closed its exchange on {closes.day}: no legacy token can be swapped any more",
        hint="nothing was sent; the users must consent again: 'migrator reconsent' takes them through it. To"
        " rehearse against the sandbox, set base_url to it",
    )
