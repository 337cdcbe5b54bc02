"""What any route may answer: a page in the language of its user, a message, a redirect, a cookie."""

from __future__ import annotations

import time
from datetime import timedelta

from flask import Response, make_response, redirect, request

from migrator.consent.pages import rendering
from migrator.consent.pages.languages import Language
from migrator.consent.pages.rendering import Branding
from migrator.consent.pages.texts import message_pages
from migrator.consent.pages.texts.message import Message
from migrator.consent.public_url import PublicUrl
from migrator.consent.web.invitation_links import InvitationLinks
from migrator.consent.web.protection.limits import InvalidLinkLimit
from migrator.ledger.invitations import Invitation


class Responses:
    """Makes the answers to the request that is being handled."""

    def __init__(self, branding: Branding, public_url: PublicUrl, links: InvitationLinks) -> None:
        self._branding = branding
        self._url = public_url
        self._links = links
        self._invalid_links = InvalidLinkLimit()

    def language(self) -> Language:
        """The one that this browser's user reads."""
        return self._branding.languages.best(request.accept_languages)

    def page(self, template: str, status: int = 200, **facts: object) -> Response:
        """A page made of a template and what it says."""
        return rendering.page(self._branding, self._url, self.language(), template, status, **facts)

    def message(self, message: Message, status: int, reload_url: str = "") -> Response:
        """A page that says only this; ``reload_url`` is where to look once more."""
        return rendering.message(self._branding, self._url, self.language(), message, status, reload_url)

    def invalid_link(self, message: Message = message_pages.BAD_LINK, status: int = 404) -> Response:
        """Nothing that we have made: the message, unless the same address has asked too often."""
        if self._invalid_links.exceeded(request.remote_addr or "", time.monotonic()):
            return self._in_a_minute(message_pages.TOO_MANY_REQUESTS, 429)
        return self.message(message, status)

    def shutting_down(self) -> Response:
        """We are about to end, and somebody else will go on."""
        return self._in_a_minute(message_pages.SHUTTING_DOWN, 503)

    def _in_a_minute(self, message: Message, status: int) -> Response:
        response = self.message(message, status)
        response.headers["Retry-After"] = "60"
        return response

    def to_link(self, invitation: Invitation) -> Response:
        """Redirect to the page of an invitation's link."""
        return self.to_path(self._links.path(invitation.id))

    def to_path(self, path: str) -> Response:
        """Redirect to one of our paths."""
        return see_other(self._url.of(path))

    def set_cookie(self, response: Response, path: str, name: str, value: str, lifetime: timedelta) -> None:
        """Give the browser a cookie for one of our paths; one without a lifetime is taken away."""
        response.set_cookie(
            name,
            value,
            max_age=int(lifetime.total_seconds()),
            path=self._url.path + path,
            secure=self._url.https,
            httponly=True,
            samesite="Lax",
        )


def see_other(url: str) -> Response:
    """Redirect to a URL of our own making, with a GET."""
    response = make_response(redirect(url, 303))
    response.autocorrect_location_header = False
    return response
