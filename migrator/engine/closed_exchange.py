"""Stops a run before its first call, where the provider has closed its exchange: none would be answered."""

from __future__ import annotations

from datetime import datetime

from migrator.errors import StoppedError
from migrator.providers import Profile
from migrator.rules.exchange_window import closed_since


def require_open(profile: Profile, now: datetime) -> None:
    """Raises ``StoppedError`` if the exchange is closed, unless the calls only go to this machine."""
    closed = closed_since(profile, now)
    if closed is None:
        return
    consent = "" if profile.facts.consent is None else ": 'migrator reconsent' takes them through it"
    raise StoppedError(
        f"{profile.title} closed its exchange on {closed}: no legacy token can be swapped any more",
        hint=f"nothing was sent; the users must consent again{consent}. To rehearse, let base_url lead to the"
        " sandbox",
    )
