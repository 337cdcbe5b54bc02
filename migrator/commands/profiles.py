"""The profile that the settings name: one that ships, or a file of the user's own."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from migrator.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.providers import Profile
    from migrator.providers.facts import Facts
    from migrator.settings.model import Settings


def profile_of(settings: Settings) -> Profile:
    """The profile that the settings name. Raises ``ConfigurationError`` if there is none, or it is wrong."""
    from migrator.providers import Profile, find_profile

    if settings.provider_file is None:
        return find_profile(settings.provider, base_url=settings.base_url)
    return Profile(read_file(settings.provider_file), settings.base_url)


def read_file(path: Path) -> Facts:
    """What a profile's file says. Raises ``ConfigurationError`` if it cannot be read, or is wrong."""
    return _read(read_text(path), str(path))


@lru_cache(maxsize=1)
def _read(text: str, place: str) -> Facts:
    """Once for a command, which asks for its profile in several places: to check one takes a while."""
    from migrator.providers.profile_file import read_profile

    return read_profile(text, place)


def read_text(path: Path) -> str:
    """A profile's file. Raises ``ConfigurationError`` if it cannot be read."""
    from migrator.settings.unreadable import advice, why

    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the profile {path} cannot be read: {why(error)}",
            hint=advice(error, "name one that ships: 'migrator providers' lists them"),
        ) from None


def known_profile(name: str, settings: Settings) -> Profile | None:
    """The profile of that name, where it ships or the settings name its file; else None."""
    from migrator.providers import find_profile, profile_names

    if settings.provider_file is not None:
        profile = profile_of(settings)
        return profile if profile.name == name else None
    return find_profile(name) if name in profile_names() else None
