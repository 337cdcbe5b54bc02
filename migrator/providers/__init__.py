"""The providers we know, each a profile: a file of facts, and one engine that reads them.

- ``profiles/``: the built-in files; ``profile_file``: reads one, and finds all that is wrong with it
- ``facts``: what a profile says; ``describing``: the same for people
- ``profile``: builds what is sent and reads what comes back, by ``calls``, ``templates``; ``refusals``
- ``interface``: what can be sent, and what an answer can mean
- ``answers``, ``bodies``, ``paths``, ``xml``: what HTTP answers say; ``token_response``, ``token_search``: a
  pair in one, whatever its form; ``legacy_response``: a renewed token; ``application_answer``: the
  application's own; ``reached``: accounts and tenants
- ``echoes``: secrets where an answer shows what is kept in the clear
- ``network_faults``: what can be wrong on the way, and what to do about each
"""

from migrator.providers.answers import error_description, is_plain
from migrator.providers.calls import Given
from migrator.providers.echoes import tokens_of
from migrator.providers.interface import (
    RATE_LIMITED,
    UNSENDABLE,
    Answer,
    ApplicationBearer,
    Authentication,
    Basic,
    Bearer,
    Disabled,
    Identified,
    Later,
    NoAnswer,
    NoRefreshToken,
    Outcome,
    Over,
    Reached,
    Renewed,
    RenewFirst,
    Request,
    Revoked,
    Signed,
    StopAll,
    Suspect,
    Unauthenticated,
    Unknown,
    Won,
)
from migrator.providers.profile import Profile
from migrator.providers.profiles_found import find_profile, profile_names

__all__ = [
    "RATE_LIMITED",
    "UNSENDABLE",
    "Answer",
    "ApplicationBearer",
    "Authentication",
    "Basic",
    "Bearer",
    "Disabled",
    "Given",
    "Identified",
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
    "Unauthenticated",
    "Unknown",
    "Won",
    "error_description",
    "find_profile",
    "is_plain",
    "profile_names",
    "tokens_of",
]
