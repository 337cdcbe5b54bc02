"""The pages that say only a message (``message.html``): a link that does not work, an error. Pure."""

from __future__ import annotations

from migrator.consent.pages.texts.message import Message
from migrator.consent.pages.texts.message import marked as _

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
SHUTTING_DOWN = Message(
    _("One moment"),
    (_("We are just starting anew. Please wait a minute, and then load this page again."),),
)
COOKIE_MISSING = Message(
    _("We lost track of you"),
    (
        _("Your browser did not bring back what we gave it when you left for the provider."),
        _("That happens when cookies are blocked, after an hour, or when you come back in another browser."),
        _("Nothing is broken. Please open the link in your e-mail once more."),
        _("The provider may show your organisation as connected: simply go through the same steps again."),
    ),
)
NOT_FOUND = Message(_("There is no such page"), (_("Please open the link in your e-mail once more."),))
METHOD_NOT_ALLOWED = Message(
    _("That is not how this page works"), (_("Please open the link in your e-mail once more."),)
)
CONTENT_TOO_LARGE = Message(
    _("That was too much"), (_("The request was too large. Please open the link in your e-mail once more."),)
)
TOO_MANY_REQUESTS = Message(
    _("Too many links that do not work"),
    (_("Please wait a minute."),),
)
INTERNAL_ERROR = Message(
    _("Something went wrong on our side"),
    (
        _(
            "It has been noted, and it is not your fault. Wait a few minutes. "
            "Please open the link in your e-mail once more."
        ),
    ),
)
