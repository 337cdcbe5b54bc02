"""How pages call the application, the provider and organisations. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrator.consent.pages.texts.message import Translator

_TURNS = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Unicode's bidirectional controls."""


@dataclass(frozen=True)
class Names:
    """Who speaks, and of whom."""

    application: str
    provider: str
    organisation: str


def organisation(name: str, translator: Translator) -> str:
    """How a page calls the organisation that is asked for."""
    return shown(name) or translator.gettext("your organisation")


def application(name: str, translator: Translator) -> str:
    """How a page calls the application; the settings may give it no name."""
    return name or translator.gettext("Our application")


def shown(name: str) -> str:
    """A name without what would turn the text around it (Unicode's bidirectional controls)."""
    return name.translate(_TURNS)


def joined(connected: Sequence[str], translator: Translator) -> str:
    """Names as an enumeration."""
    return translator.join([name for name in map(shown, connected) if name])


def facts(names: Names, connected: Sequence[str], translator: Translator) -> dict[str, str]:
    """What the texts' placeholders are filled with."""
    return {
        "application": names.application,
        "provider": names.provider,
        "organisation": names.organisation,
        "connected": joined(connected, translator) or translator.gettext("another organisation"),
    }
