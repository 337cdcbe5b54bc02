"""The providers we know: one file a profile, one line a profile here.

- ``interface``: what a profile is, what can be sent, and what an answer can mean
- ``xero``, ``xero_scopes``: a profile
- ``answers``: what HTTP answers say; ``token_response``, ``token_search``: a pair in one, whatever its form
- ``network_faults``: what can be wrong on the way, and what to do about each
"""

from migrator.errors import ConfigurationError
from migrator.providers.answers import error_description, is_plain
from migrator.providers.interface import (
    RATE_LIMITED,
    Answer,
    Basic,
    Bearer,
    Code,
    Later,
    NoAnswer,
    NoRefreshToken,
    Outcome,
    Over,
    Profile,
    Reached,
    Renewed,
    RenewFirst,
    Request,
    Revoked,
    Signed,
    StopAll,
    Suspect,
    Unknown,
    Won,
)
from migrator.providers.xero import Xero

__all__ = [
    "PROFILES",
    "RATE_LIMITED",
    "Answer",
    "Basic",
    "Bearer",
    "Code",
    "Later",
    "NoAnswer",
    "NoRefreshToken",
    "Outcome",
    "Over",
    "Profile",
    "Reached",
    "RenewFirst",
    "Renewed",
    "Request",
    "Revoked",
    "Signed",
    "StopAll",
    "Suspect",
    "Unknown",
    "Won",
    "app_types_of",
    "error_description",
    "find_profile",
    "is_plain",
]

PROFILES = {"xero": Xero}


def find_profile(name: str, *, base_url: str = "") -> Profile:
    """The profile of that name; ``base_url`` replaces scheme and host of its endpoints.

    Raises ``ConfigurationError`` for a name that no profile has.
    """
    if name not in PROFILES:
        raise ConfigurationError(
            f"there is no provider {name!r}",
            hint=f"this version knows {', '.join(PROFILES)}; see 'migrator providers'",
        )
    return PROFILES[name](base_url)


def app_types_of(name: str) -> tuple[str, ...]:
    """The application types of the profile of that name; none where it has none, or nobody knows it."""
    return tuple(PROFILES[name]().row_rules(None).app_types) if name in PROFILES else ()
