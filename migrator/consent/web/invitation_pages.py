"""The pages that tell of an invitation: what is asked for, what is connected, what the link's end left."""

from __future__ import annotations

from flask import Response, request

from migrator.consent.pages.languages import Language
from migrator.consent.pages.rendering import Branding
from migrator.consent.pages.texts import connected, invite, message_pages, names, not_connected
from migrator.consent.pages.texts.names import Names
from migrator.consent.public_url import PublicUrl
from migrator.consent.visits.link_page import LinkPage, link_page, notice, reason_for_user
from migrator.consent.web import cookies
from migrator.consent.web.invitation_links import InvitationLinks
from migrator.consent.web.responses import Responses
from migrator.ledger.consent_ledger import ConsentLedger
from migrator.ledger.invitations import Invitation
from migrator.models import Clock
from migrator.providers import Profile

_MESSAGES = {
    LinkPage.EXPIRED: (message_pages.EXPIRED, 410),
    LinkPage.USED: (message_pages.USED, 410),
    LinkPage.NOT_NEEDED: (message_pages.NOT_NEEDED, 200),
    LinkPage.CHECKING: (message_pages.CHECKING, 200),
    LinkPage.EXCHANGING: (message_pages.EXCHANGING, 200),
}
_PASSING = (LinkPage.CHECKING, LinkPage.EXCHANGING)
"""What will be another page soon."""


class InvitationPages:
    """Makes these pages."""

    def __init__(
        self,
        ledger: ConsentLedger,
        profile: Profile,
        branding: Branding,
        public_url: PublicUrl,
        links: InvitationLinks,
        responses: Responses,
        *,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._profile = profile
        self._branding = branding
        self._url = public_url
        self._links = links
        self._responses = responses
        self._clock = clock

    def of(self, invitation: Invitation) -> Response:
        """The page of an invitation's link: the invitation, or why there is none."""
        page = link_page(invitation, self._clock())
        if page is LinkPage.INVITE:
            return self._invite(invitation)
        if page is LinkPage.CONNECTED:
            return self.connected(invitation, just_now=False)
        if page is LinkPage.EXPIRED and notice(invitation):
            return self._expired(invitation)
        reload_url = self._links.url(invitation.id) if page in _PASSING else ""
        return self._responses.message(*_MESSAGES[page], reload_url=reload_url)

    def connected(self, invitation: Invitation, *, just_now: bool) -> Response:
        """What is connected, and what else is wanted of whoever reads mail at the same address.

        The other links, with the names of their organisations, are for the browser alone that has just come
        back from a consent which connected what this link asks for: it has shown that it belongs to one of
        the address's organisations. Whoever only holds a link, as by a forwarded mail or a page that is
        opened again later, reads that there are others, and not which. So does one of several whom this link
        was sent to, of links that were not sent to all of them.
        """
        language = self._responses.language()
        others = self._ledger.remaining(invitation.id)
        value = request.cookies.get(cookies.RETURNED, "")
        back = just_now and cookies.has_just_returned(value, invitation.id, self._ledger, self._clock())
        links = [
            (names.organisation(other.organisation, language), self._links.url(other.id))
            for other in others
            if back and other.for_all
        ]
        return self._responses.page(
            "connected.html",
            connected=connected.connected_text(
                self._names(invitation, language), invitation.connected, language
            ),
            just_now=just_now,
            remaining=connected.remaining_text(
                len(links) or len(others), links=bool(links), translator=language
            ),
            links=links,
        )

    def _invite(self, invitation: Invitation) -> Response:
        language = self._responses.language()
        named = self._names(invitation, language)
        outcome = notice(invitation)
        return self._responses.page(
            "invite.html",
            names=named,
            notice=not_connected.notice_text(outcome, named, invitation.connected, language)
            if outcome
            else None,
            why=invite.why_now(reason_for_user(invitation), named, language),
            scopes=[
                language.gettext(self._profile.scopes[scope]) if scope in self._profile.scopes else scope
                for scope in self._branding.scopes
            ],
            link_ends=invite.link_ends_text(invitation.expires_at, language),
            start=f"{self._url.path}{self._links.path(invitation.id)}/start",
        )

    def _expired(self, invitation: Invitation) -> Response:
        """A link that has ended since its user left for the provider, or before they came once more."""
        language, outcome = self._responses.language(), notice(invitation)
        if outcome is None:
            return self._responses.message(*_MESSAGES[LinkPage.EXPIRED])
        text = not_connected.expired_text(
            outcome, self._names(invitation, language), invitation.connected, language
        )
        return self._responses.page("message.html", 410, message=text)

    def _names(self, invitation: Invitation, language: Language) -> Names:
        return Names(
            names.application(self._branding.application, language),
            self._profile.title,
            names.organisation(invitation.organisation, language),
        )
