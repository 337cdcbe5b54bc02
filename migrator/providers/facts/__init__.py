"""What a provider's profile says: frozen facts, as its TOML file gives them.

The guide *Writing a profile* has the same vocabulary for those who write one; each table of the file is a
class here. Durations are ``timedelta``, paths into an answer are names joined by dots.

- ``provider``: all of it; ``vocabulary``: the words that decide
- ``calls``: what is sent, and refusals; ``answers``: where good answers have what
- ``limits``: how many calls there may be
"""

from migrator.providers.facts.answers import (
    AccountAnswer,
    LegacyAnswer,
    Lifetime,
    LifetimeForm,
    Name,
    TenantsAnswer,
    TokenAnswer,
)
from migrator.providers.facts.calls import CallFacts, ErrorRule
from migrator.providers.facts.limits import Limit, WaitFacts
from migrator.providers.facts.provider import Advice, Consent, Dated, Facts, Renewal, Source
from migrator.providers.facts.vocabulary import Auth, ClientStyle, LegacyFate, Meaning, RenewalRule, Repeat

__all__ = [
    "AccountAnswer",
    "Advice",
    "Auth",
    "CallFacts",
    "ClientStyle",
    "Consent",
    "Dated",
    "ErrorRule",
    "Facts",
    "LegacyAnswer",
    "LegacyFate",
    "Lifetime",
    "LifetimeForm",
    "Limit",
    "Meaning",
    "Name",
    "Renewal",
    "RenewalRule",
    "Repeat",
    "Source",
    "TenantsAnswer",
    "TokenAnswer",
    "WaitFacts",
]
