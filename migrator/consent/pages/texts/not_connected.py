"""What a user reads who comes back from the provider without a connection, as after Cancel there. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from migrator.consent.pages.texts.message import Message, Translator
from migrator.consent.pages.texts.message import marked as _
from migrator.consent.pages.texts.message_pages import EXPIRED
from migrator.consent.pages.texts.names import Names, facts
from migrator.rules.visit_outcome import VisitOutcome


@dataclass(frozen=True)
class _Notice:
    """What came of a visit."""

    title: str
    happened: tuple[str, ...]
    """True for as long as nobody tries again."""
    next_steps: tuple[str, ...]
    """How to go on, while the link is of use."""


_CONNECT_AGAIN = _("Please connect once more.")
_OPERATOR_KNOWS = _("Its operator has been told; you need not do anything.")
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

NOTICES: Mapping[VisitOutcome, _Notice] = {
    VisitOutcome.OTHER_TENANT: _Notice(
        _("Another organisation was connected"),
        (_("You connected {connected}. {application} needs {organisation}."),),
        (_("Please try again, and choose {organisation} at {provider}."), *_SOMEBODY_ELSE),
    ),
    VisitOutcome.OTHER_NAME: _Notice(
        _("Is this the right organisation?"),
        (_("You connected {connected}. {application} knows the one that it needs as {organisation}."),),
        (
            _("If that is another one, please try again, and choose {organisation} at {provider}."),
            _("If it is the same under another name, please choose it once more."),
            *_SOMEBODY_ELSE,
        ),
    ),
    VisitOutcome.NO_TENANT: _Notice(
        _("No organisation was connected"),
        (_("You allowed {application}, and no organisation was chosen at {provider}."),),
        (_("Please try again, and choose {organisation}."), *_SOMEBODY_ELSE),
    ),
    VisitOutcome.REFUSED: _Notice(
        _("Nothing was connected"),
        (_("You chose not to allow it at {provider}, so nothing has changed."),),
        (_("You can still connect {organisation} whenever you like."),),
    ),
    VisitOutcome.CODE_REFUSED: _Notice(
        _("That took too long, or happened twice"),
        (
            _(
                "{provider} did not accept the answer that your browser brought back. That happens after a "
                "long pause, or when a page is loaded again."
            ),
        ),
        (_CONNECT_AGAIN,),
    ),
    VisitOutcome.RESPONSE_LOST: _Notice(
        _("Please click once more"),
        (_("The line to {provider} broke at the last moment."),),
        (
            _(
                "{provider} may show {organisation} as connected already: simply go through the same steps "
                "again."
            ),
        ),
    ),
    VisitOutcome.PROVIDER_DOWN: _Notice(
        _("{provider} cannot be reached just now"),
        (_("Nothing has gone wrong on your side, and nothing is lost."),),
        (
            _(
                "Please try again in a few minutes. {provider} may show {organisation} as connected already: "
                "simply go through the same steps again."
            ),
        ),
    ),
    VisitOutcome.SETUP: _Notice(
        _("This does not work at the moment"),
        (_("{provider} does not accept how {application} is set up."), _OPERATOR_KNOWS),
        (_("You can try again later with the same link."),),
    ),
    VisitOutcome.INTERACTION_REQUIRED: _Notice(
        _("{provider} wanted to ask you something"),
        (_("{provider} had a question for you and sent you back without asking it. Nothing was connected."),),
        (_("Please connect once more, and answer whatever {provider} asks."),),
    ),
    VisitOutcome.LOGIN_REQUIRED: _Notice(
        _("You were not logged in at {provider}"),
        (_("{provider} sent you back because you were not logged in there. Nothing was connected."),),
        (_("Please log in at {provider} first, in this browser, and then connect once more."),),
    ),
    VisitOutcome.CONSENT_REQUIRED: _Notice(
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
    VisitOutcome.UNKNOWN_ERROR: _Notice(
        _("{provider} said no"),
        (
            _("{provider} sent you back with a message that we do not know. Nothing was connected."),
            _("The operator of {application} has been told what {provider} said."),
        ),
        (_("You can try again with the same link."),),
    ),
    VisitOutcome.NO_ANSWER: _Notice(
        _("You came back without an answer"),
        (_("{provider} sent you back without saying whether you allowed it. Nothing was connected."),),
        (_CONNECT_AGAIN,),
    ),
}


def notice_text(
    outcome: VisitOutcome, names: Names, connected: Sequence[str], translator: Translator
) -> Message:
    """What a user reads about their last visit at the provider."""
    notice = NOTICES[outcome]
    return Message(notice.title, notice.happened + notice.next_steps).translated(
        translator, **facts(names, connected, translator)
    )


def expired_text(
    outcome: VisitOutcome, names: Names, connected: Sequence[str], translator: Translator
) -> Message:
    """What a user reads about it once their link has ended: what happened is as true as before."""
    told = Message(EXPIRED.title, NOTICES[outcome].happened + EXPIRED.paragraphs)
    return told.translated(translator, **facts(names, connected, translator))
