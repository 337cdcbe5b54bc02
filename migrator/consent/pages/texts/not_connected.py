"""What users read: why they are asked, and what came of it. Pure.

Texts stand here in English, by which the catalogues know them (``locales``), and are said in a language at
the end. ``tests/consent/test_catalogues`` looks in each catalogue for whatever ``_`` marks or ``say`` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from migrator.consent.visits.outcomes import Came


@dataclass(frozen=True)
class Names:
    """Who speaks, and of whom."""

    application: str
    provider: str
    organisation: str


class Tongue(Protocol):
    """A language to say things in. ``languages`` knows those that there are."""

    def say(self, english: str, /, **facts: str) -> str:
        """A text in this language, filled with ``facts``; in English where the catalogue lacks it."""

    def count(self, one: str, many: str, number: int, /, **facts: str) -> str:
        """The text for so many."""

    def join(self, names: Sequence[str]) -> str:
        """Names as an enumeration."""

    def day(self, when: datetime) -> str:
        """A day in words, in UTC."""

    def time(self, when: datetime) -> str:
        """Hour and minute, in UTC."""


@dataclass(frozen=True)
class Message:
    """A page's heading, and what stands under it."""

    title: str
    paragraphs: tuple[str, ...]

    def said(self, tongue: Tongue, **facts: str) -> Message:
        """This, which is in English, in another language."""
        return Message(
            tongue.say(self.title, **facts), tuple(tongue.say(text, **facts) for text in self.paragraphs)
        )


def _(english: str) -> str:
    """Mark a text for the catalogues; it is said later."""
    return english


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


def why_now(reason: str, names: Names, tongue: Tongue) -> str:
    """Why a user is asked, and why now."""
    return tongue.say(_REASONS.get(reason, _OTHERWISE), **_facts(names, (), tongue))


@dataclass(frozen=True)
class _Notice:
    """What came of a visit."""

    title: str
    happened: tuple[str, ...]
    """True for as long as nobody tries again."""
    on: tuple[str, ...]
    """How to go on, while the link is of use."""


_AGAIN = _("Please connect once more.")
_TOLD = _("Its operator has been told; you need not do anything.")
_SOMEBODY_ELSE = (
    _(
        "Is {organisation} missing from the list? Then you are logged in at {provider} as somebody else than "
        "who has it. Log out at {provider} first, or open this link in a private window, and log in as who "
        "has it."
    ),
    _(
        "If another person has {organisation}, please pass the e-mail with the link on to them. The link "
        "works for whoever opens it."
    ),
)
"""No switch of the provider's is known by which a link could ask who is to log in (protocol: *OAuth 2.0*)."""

_NOTICES: Mapping[Came, _Notice] = {
    Came.OTHER: _Notice(
        _("Another organisation was connected"),
        (_("You connected {connected}. {application} needs {organisation}."),),
        (_("Please try again, and choose {organisation} at {provider}."), *_SOMEBODY_ELSE),
    ),
    Came.OTHER_NAME: _Notice(
        _("Is this the right organisation?"),
        (_("You connected {connected}. {application} knows the one that it needs as {organisation}."),),
        (
            _("If that is another one, please try again, and choose {organisation} at {provider}."),
            _("If it is the same under another name, please choose it once more."),
            *_SOMEBODY_ELSE,
        ),
    ),
    Came.NONE: _Notice(
        _("No organisation was connected"),
        (_("You allowed {application}, and no organisation was chosen at {provider}."),),
        (_("Please try again, and choose {organisation}."), *_SOMEBODY_ELSE),
    ),
    Came.REFUSED: _Notice(
        _("Nothing was connected"),
        (_("You chose not to allow it at {provider}, so nothing has changed."),),
        (_("You can still connect {organisation} whenever you like."),),
    ),
    Came.CODE_REFUSED: _Notice(
        _("That took too long, or happened twice"),
        (
            _(
                "{provider} did not accept the answer that your browser brought back. That happens after a "
                "long pause, or when a page is loaded again."
            ),
        ),
        (_AGAIN,),
    ),
    Came.LOST: _Notice(
        _("Please click once more"),
        (_("The line to {provider} broke at the last moment."),),
        (
            _(
                "{provider} may show {organisation} as connected already: simply go through the same steps "
                "again."
            ),
        ),
    ),
    Came.DOWN: _Notice(
        _("{provider} cannot be reached just now"),
        (_("Nothing has gone wrong on your side, and nothing is lost."),),
        (
            _(
                "Please try again in a few minutes. {provider} may show {organisation} as connected already: "
                "simply go through the same steps again."
            ),
        ),
    ),
    Came.SETUP: _Notice(
        _("This does not work at the moment"),
        (_("{provider} does not accept how {application} is set up."), _TOLD),
        (_("You can try again later with the same link."),),
    ),
    Came.INTERACTION: _Notice(
        _("{provider} wanted to ask you something"),
        (_("{provider} had a question for you and sent you back without asking it. Nothing was connected."),),
        (_("Please connect once more, and answer whatever {provider} asks."),),
    ),
    Came.LOGIN: _Notice(
        _("You were not logged in at {provider}"),
        (_("{provider} sent you back because you were not logged in there. Nothing was connected."),),
        (_("Please log in at {provider} first, in this browser, and then connect once more."),),
    ),
    Came.CONSENT: _Notice(
        _("{provider} needs your permission"),
        (
            _(
                "{provider} sent you back without asking whether you allow {application}. "
                "Nothing was connected."
            ),
        ),
        (
            _(
                "Please connect once more. If that does not help, the person who manages your account at "
                "{provider} may have to allow {application}."
            ),
        ),
    ),
    Came.UNKNOWN: _Notice(
        _("{provider} said no"),
        (
            _("{provider} sent you back with a message that we do not know. Nothing was connected."),
            _("The operator of {application} has been told what {provider} said."),
        ),
        (_("You can try again with the same link."),),
    ),
    Came.NO_ANSWER: _Notice(
        _("You came back without an answer"),
        (_("{provider} sent you back without saying whether you allowed it. Nothing was connected."),),
        (_AGAIN,),
    ),
}


def notice_text(came: Came, names: Names, connected: Sequence[str], tongue: Tongue) -> Message:
    """What a user reads about their last visit at the provider."""
    notice = _NOTICES[came]
    return Message(notice.title, notice.happened + notice.on).said(tongue, **_facts(names, connected, tongue))


def ended_text(came: Came, names: Names, connected: Sequence[str], tongue: Tongue) -> Message:
    """What a user reads about it once their link has ended: what happened is as true as before."""
    told = Message(EXPIRED.title, _NOTICES[came].happened + EXPIRED.paragraphs)
    return told.said(tongue, **_facts(names, connected, tongue))


def connected_text(names: Names, connected: Sequence[str], tongue: Tongue) -> str:
    """What is connected, by the names that the provider gives."""
    return tongue.count(
        "{connected} is connected to {application} through {provider}.",
        "{connected} are connected to {application} through {provider}.",
        max(len(connected), 1),
        application=names.application,
        provider=names.provider,
        connected=_joined(connected, tongue) or names.organisation,
    )


def left_text(number: int, *, links: bool, tongue: Tongue) -> str:
    """What is left to do; ``links`` says that those to so many organisations follow."""
    if not number:
        return tongue.say("There is nothing more to do. You can close this window.")
    if links:
        return tongue.count(
            "One more organisation is still to be connected:",
            "More organisations are still to be connected:",
            number,
        )
    return tongue.say(
        "Other organisations are still to be connected. Please open the other links that we sent you, too."
    )


def link_ends_text(expires_at: datetime, tongue: Tongue) -> str:
    """Until when a link can be used."""
    return tongue.say(
        "This link can be used until {day}, {time} UTC.",
        day=tongue.day(expires_at),
        time=tongue.time(expires_at),
    )


def organisation(name: str, tongue: Tongue) -> str:
    """How a page calls the organisation that is asked for."""
    return shown(name) or tongue.say("your organisation")


def application(name: str, tongue: Tongue) -> str:
    """How a page calls the application; the settings may give it no name."""
    return name or tongue.say("Our application")


def shown(name: str) -> str:
    """A name without what would turn the text around it (Unicode's bidirectional controls)."""
    return name.translate(_TURNS)


def _joined(connected: Sequence[str], tongue: Tongue) -> str:
    return tongue.join([name for name in map(shown, connected) if name])


def _facts(names: Names, connected: Sequence[str], tongue: Tongue) -> dict[str, str]:
    return {
        "application": names.application,
        "provider": names.provider,
        "organisation": names.organisation,
        "connected": _joined(connected, tongue) or tongue.say("another organisation"),
    }


_TURNS = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))

BAD_LINK = Message(
    _("This link does not work"),
    (
        _("It may have been cut off on its way."),
        _("Please open the link in your e-mail as a whole, or copy all of it into the address line."),
        _("If it still does not work, ask whoever sent it to you for a new one."),
    ),
)
EXPIRED = Message(
    _("This link has ended"),
    (_("Links are good for a limited time. Please ask whoever sent it to you for a new one."),),
)
USED = Message(
    _("This link was used already"),
    (
        _(
            "Your organisation must be connected once more. "
            "Please ask whoever sent you this link for a new one."
        ),
    ),
)
NOT_NEEDED = Message(
    _("There is nothing to do for you at the moment"),
    (_("Your connection is being looked after. If anything is needed from you, you will hear from us."),),
)
CHECKING = Message(
    _("Almost done"),
    (
        _("You need not do anything more at the provider. It has not told us yet what is connected."),
        _("Please look again in a minute, to see that it is the right one."),
    ),
)
EXCHANGING = Message(
    _("One moment"), (_("We are making the connection. Please look again in a few seconds."),)
)
ENDING = Message(
    _("One moment"),
    (_("We are just starting anew. Please wait a minute, and then load this page again."),),
)
LOST_TRACK = Message(
    _("We lost track of you"),
    (
        _("Your browser did not bring back what we gave it when you left for the provider."),
        _("That happens when cookies are blocked, after an hour, or when you come back in another browser."),
        _("Nothing is broken. Please open the link in your e-mail once more."),
        _("The provider may show your organisation as connected: simply go through the same steps again."),
    ),
)
NO_PAGE = Message(_("There is no such page"), (_("Please open the link in your e-mail once more."),))
WRONG_METHOD = Message(
    _("That is not how this page works"), (_("Please open the link in your e-mail once more."),)
)
TOO_LARGE = Message(
    _("That was too much"), (_("The request was too large. Please open the link in your e-mail once more."),)
)
TOO_MANY = Message(
    _("Too many links that do not work"),
    (_("Please wait a minute."),),
)
BROKEN = Message(
    _("Something went wrong on our side"),
    (
        _(
            "It has been noted, and it is not your fault. Wait a few minutes. "
            "Please open the link in your e-mail once more."
        ),
    ),
)
