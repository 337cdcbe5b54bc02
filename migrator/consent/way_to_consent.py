"""Whether users can be taken to a page on which they authorise the application."""

from __future__ import annotations

from migrator.errors import ConfigurationError
from migrator.models import Action
from migrator.providers import Profile


def require_way_to_consent(profile: Profile, command: str) -> None:
    """Raises ``ConfigurationError`` where the provider's profile does not say where users authorise.

    ``command`` is what would lead them there.
    """
    if profile.facts.consent is None or not profile.has(Action.EXCHANGE_CODE):
        raise ConfigurationError(
            f"the profile of {profile.title} does not say how users authorise the application",
            hint=f"{command!r} needs its tables [consent] and [exchange_code]; 'migrator reconsent list' says"
            " who must authorise again",
        )
