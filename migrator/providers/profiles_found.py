"""Finds the profile that a name means, among those that ship."""

from __future__ import annotations

import difflib

from migrator.errors import ConfigurationError
from migrator.providers.profile import Profile
from migrator.providers.profile_file import built_in, built_in_names


def profile_names() -> tuple[str, ...]:
    """The names of the profiles that ship."""
    return built_in_names()


def find_profile(name: str, *, base_url: str = "") -> Profile:
    """The profile of that name; ``base_url`` replaces scheme and host of its endpoints.

    Raises ``ConfigurationError`` for a name that no profile has.
    """
    if name not in built_in_names():
        close = difflib.get_close_matches(name, built_in_names(), n=1)
        meant = f"did you mean {close[0]}? " if close else ""
        raise ConfigurationError(
            f"there is no provider {name!r}",
            hint=f"{meant}this version knows {', '.join(built_in_names())}; a profile of your own is named by"
            " its file, such as profiles/acme.toml",
        )
    return Profile(built_in(name), base_url)
