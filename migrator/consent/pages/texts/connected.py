"""What the page says once all is done (``connected.html``): what is connected, and what is left. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from migrator.consent.pages.texts.message import Translator
from migrator.consent.pages.texts.names import Names, joined


def connected_text(names: Names, connected: Sequence[str], translator: Translator) -> str:
    """What is connected, by the names that the provider gives."""
    return translator.ngettext(
        "{connected} is connected to {application} through {provider}.",
        "{connected} are connected to {application} through {provider}.",
        max(len(connected), 1),
        application=names.application,
        provider=names.provider,
        connected=joined(connected, translator) or names.organisation,
    )


def remaining_text(number: int, *, links: bool, translator: Translator) -> str:
    """What is left to do; ``links`` says that those to so many organisations follow."""
    if not number:
        return translator.gettext("There is nothing more to do. You can close this window.")
    if links:
        return translator.ngettext(
            "One more organisation is still to be connected:",
            "More organisations are still to be connected:",
            number,
        )
    return translator.gettext(
        "Other organisations are still to be connected. Please open the other links that we sent you, too."
    )
