"""The routes of a link: the page behind it, and the one where a user lands who has connected."""

from __future__ import annotations

from flask import Response, request

from migrator.consent.visits.link_page import LinkPage, link_page
from migrator.consent.web.invitation_links import InvitationLinks
from migrator.consent.web.invitation_pages import InvitationPages
from migrator.consent.web.protection.prefetch import is_visit
from migrator.consent.web.responses import Responses
from migrator.ledger.consent_ledger import ConsentLedger
from migrator.models import Clock


class LinkRoutes:
    """Show where things stand; nothing is changed by them."""

    def __init__(
        self,
        ledger: ConsentLedger,
        links: InvitationLinks,
        responses: Responses,
        pages: InvitationPages,
        *,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._links = links
        self._responses = responses
        self._pages = pages
        self._clock = clock

    def link(self, token: str) -> Response:
        """Where a link leads: the invitation, or why there is none."""
        invitation = self._links.requested()
        if invitation is None:
            return self._responses.invalid_link()
        if token != self._links.token(invitation.id):  # something has changed the link, or it is an old one
            return self._responses.to_link(invitation)
        if is_visit(request.method, request.headers.get):
            self._ledger.opened(invitation.id)
        return self._pages.of(invitation)

    def done(self, token: str) -> Response:
        """Where a user lands who has just connected what was asked for."""
        del token
        invitation = self._links.requested()
        if invitation is None:
            return self._responses.invalid_link()
        if link_page(invitation, self._clock()) is not LinkPage.CONNECTED:
            return self._responses.to_link(invitation)
        return self._pages.connected(invitation, just_now=True)
