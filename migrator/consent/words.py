"""What users read: why they are asked, and what came of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from migrator.consent.flow import Came


@dataclass(frozen=True)
class Names:
    """Who speaks, and of whom."""

    application: str
    provider: str
    organisation: str


@dataclass(frozen=True)
class Message:
    """A page's heading, and what stands under it."""

    title: str
    paragraphs: tuple[str, ...]


_ENDED = "The permission that {application} had has ended."
_OLD = """
    Until now {application} was connected to {provider} in an older way, which {provider} is switching off.
    Connections of your kind cannot be moved to the new way without you.
"""
_OTHERWISE = """
    {provider} is changing how applications are connected, and your connection must be made anew.
"""
_REASONS: Mapping[str, str] = {
    "public_app": _OLD,
    "private_app": _OLD,
    "token_expired": _ENDED,
    "grant_revoked": _ENDED,
    "grant_over": _ENDED,
    "refresh_token_expired": _ENDED,
    "revoked_by_operator": "The connection was ended on our side.",
}


def why_now(reason: str, names: Names) -> str:
    """Why a user is asked, and why now."""
    return _filled(_REASONS.get(reason, _OTHERWISE), names)


_NOTICES: Mapping[Came, tuple[str, ...]] = {
    Came.OTHER: (
        "Another organisation was connected",
        "You connected {connected}. {application} needs {organisation}.",
        "Please try again, and choose {organisation} at {provider}.",
    ),
    Came.OTHER_NAME: (
        "Is this the right organisation?",
        "You connected {connected}. {application} knows the one that it needs as {organisation}.",
        "If that is another one, please try again, and choose {organisation} at {provider}.",
        "If it is the same under another name, please choose it once more.",
    ),
    Came.NONE: (
        "No organisation was connected",
        "You allowed {application}, and no organisation was chosen at {provider}.",
        "Please try again, and choose {organisation}.",
    ),
    Came.REFUSED: (
        "Nothing was connected",
        "You chose not to allow it at {provider}, so nothing has changed.",
        "You can still connect {organisation} whenever you like.",
    ),
    Came.CODE_REFUSED: (
        "That took too long, or happened twice",
        """
        {provider} did not accept the answer that your browser brought back. That happens after a long pause,
        or when a page is loaded again.
        """,
        "Please connect once more.",
    ),
    Came.LOST: (
        "Please click once more",
        """
        The line to {provider} broke at the last moment. {provider} may show {organisation} as connected
        already: simply go through the same steps again.
        """,
    ),
    Came.DOWN: (
        "{provider} cannot be reached just now",
        "Nothing has gone wrong on your side, and nothing is lost.",
        """
        Please try again in a few minutes. {provider} may show {organisation} as connected already: simply go
        through the same steps again.
        """,
    ),
    Came.SETUP: (
        "This does not work at the moment",
        """
        {provider} does not accept how {application} is set up. Its operator has been told; you need not do
        anything.
        """,
        "You can try again later with the same link.",
    ),
}


def notice_text(came: Came, names: Names, connected: Sequence[str]) -> Message:
    """What a user reads about their last visit at the provider."""
    title, *paragraphs = (_filled(text, names, connected) for text in _NOTICES[came])
    return Message(title, tuple(paragraphs))


def connected_text(names: Names, connected: Sequence[str]) -> str:
    """What is connected, by the names that the provider gives."""
    what = shown(", ".join(connected)) or names.organisation
    verb = "are" if len(connected) > 1 else "is"
    return f"{what} {verb} connected to {names.application} through {names.provider}."


def shown(name: str) -> str:
    """A name without what would turn the text around it (Unicode's bidirectional controls)."""
    return name.translate(_TURNS)


def _filled(text: str, names: Names, connected: Sequence[str] = ()) -> str:
    return " ".join(text.split()).format(
        application=names.application,
        provider=names.provider,
        organisation=names.organisation,
        connected=shown(", ".join(connected)) or "another organisation",
    )


_TURNS = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_AGAIN = "Please open the link in your e-mail once more."

BAD_LINK = Message(
    "This link does not work",
    (
        "It may have been cut off on its way.",
        "Please open the link in your e-mail as a whole, or copy all of it into the address line.",
        "If it still does not work, ask whoever sent it to you for a new one.",
    ),
)
EXPIRED = Message(
    "This link has ended",
    ("Links are good for a limited time. Please ask whoever sent it to you for a new one.",),
)
USED = Message(
    "This link was used already",
    ("Your organisation must be connected once more. Please ask whoever sent you this link for a new one.",),
)
NOT_NEEDED = Message(
    "There is nothing to do for you at the moment",
    ("Your connection is being looked after. If anything is needed from you, you will hear from us.",),
)
CHECKING = Message(
    "Almost done",
    (
        "You need not do anything more at the provider. It has not told us yet what is connected.",
        "Please look again in a minute, to see that it is the right one.",
    ),
)
EXCHANGING = Message("One moment", ("We are making the connection. Please look again in a few seconds.",))
ENDING = Message(
    "One moment",
    ("We are just starting anew. Please wait a minute, and then load this page again.",),
)
LOST_TRACK = Message(
    "We lost track of you",
    (
        "Your browser did not bring back what we gave it when you left for the provider.",
        "That happens when cookies are blocked, after an hour, or when you come back in another browser.",
        f"Nothing is broken. {_AGAIN}",
        "The provider may show your organisation as connected: simply go through the same steps again.",
    ),
)
NO_PAGE = Message("There is no such page", (_AGAIN,))
WRONG_METHOD = Message("That is not how this page works", (_AGAIN,))
TOO_LARGE = Message("That was too much", (f"The request was too large. {_AGAIN}",))
TOO_MANY = Message(
    "Too many links that do not work",
    ("Please wait a minute.",),
)
BROKEN = Message(
    "Something went wrong on our side",
    (f"It has been noted, and it is not your fault. Wait a few minutes. {_AGAIN}",),
)
