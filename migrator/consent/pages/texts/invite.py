"""What the invitation says (``invite.html``): why a user is asked now, and when the link ends. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from migrator.consent.pages.texts.message import Translator
from migrator.consent.pages.texts.message import marked as _
from migrator.consent.pages.texts.names import Names, facts

_ENDED = _("The permission that {application} had has ended.")
_OLD = _(
    "Until now {application} was connected to {provider} in an older way, which {provider} is switching off. "
    "Connections of your kind cannot be moved to the new way without you."
)
_OTHERWISE = _(
    "{provider} is changing how applications are connected, and your connection must be made anew."
)
_REASONS: Mapping[str, str] = {
    "public_app": _OLD,
    "private_app": _OLD,
    "token_expired": _ENDED,
    "grant_revoked": _ENDED,
    "grant_over": _ENDED,
    "refresh_token_expired": _ENDED,
    "revoked_by_operator": _("The connection was ended on our side."),
}


def why_now(reason: str, names: Names, translator: Translator) -> str:
    """Why a user is asked, and why now."""
    return translator.gettext(_REASONS.get(reason, _OTHERWISE), **facts(names, (), translator))


def link_ends_text(expires_at: datetime, translator: Translator) -> str:
    """Until when a link can be used."""
    return translator.gettext(
        "This link can be used until {day}, {time} UTC.",
        day=translator.day(expires_at),
        time=translator.time(expires_at),
    )
