"""The routes of the authorization code grant (RFC 6749, 4.1): off to the provider, and back from it.

Only the callback changes anything, and only once a ``state``.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from urllib.parse import urlencode

from flask import Response, request

from migrator.consent.exchange import Exchange
from migrator.consent.pages.rendering import Branding
from migrator.consent.pages.texts import message_pages
from migrator.consent.public_url import CALLBACK, LINK, PublicUrl
from migrator.consent.visits.link_page import LinkPage, confirmable_tenants, link_page
from migrator.consent.visits.outcomes import after_callback_without_code
from migrator.consent.web import cookies
from migrator.consent.web.cookies import AuthorizationRequest
from migrator.consent.web.invitation_links import InvitationLinks
from migrator.consent.web.responses import Responses, see_other
from migrator.ledger.consent_ledger import ConsentLedger
from migrator.ledger.consents import AlreadyUsed
from migrator.ledger.invitations import Invitation
from migrator.ledger.visits import Visit
from migrator.models import Clock, Secret
from migrator.providers import Profile
from migrator.rules.visit_outcome import VisitOutcome

log = logging.getLogger(__name__)

_LONGEST_STATE = 256
_LONGEST_CODE = 4096


class AuthorizationRoutes:
    """Send users to the provider, and take them back."""

    def __init__(
        self,
        ledger: ConsentLedger,
        exchange: Exchange,
        profile: Profile,
        branding: Branding,
        public_url: PublicUrl,
        links: InvitationLinks,
        responses: Responses,
        *,
        clock: Clock,
        shutting_down: threading.Event,
    ) -> None:
        """Once ``shutting_down`` is set, nothing new is begun."""
        self._ledger = ledger
        self._exchange = exchange
        self._profile = profile
        self._branding = branding
        self._url = public_url
        self._links = links
        self._responses = responses
        self._clock = clock
        self._shutting_down = shutting_down

    def start(self, token: str) -> Response:
        """Off to the provider, with a state that only this browser can bring back."""
        del token
        invitation = self._links.requested()
        if invitation is None:
            return self._responses.invalid_link()
        if link_page(invitation, self._clock()) is not LinkPage.INVITE:
            return self._responses.to_link(invitation)
        if self._shutting_down.is_set():
            return self._responses.shutting_down()
        self._ledger.opened(invitation.id)  # a browser may show a page that it has fetched in advance
        begun = AuthorizationRequest.begin(
            invitation.id, confirmable_tenants(invitation), self._ledger, self._clock()
        )
        client_id = self._exchange.client_id_for(invitation)
        response = see_other(f"{self._profile.authorise_url}?{self._query(begun, client_id)}")
        self._remember(response, begun)
        return response

    def _query(self, begun: AuthorizationRequest, client_id: str) -> str:
        """The authorization request (RFC 6749, 4.1.1; RFC 7636, 4.3)."""
        scopes = {"scope": " ".join(self._branding.scopes)} if self._branding.scopes else {}
        return urlencode(
            {
                "response_type": "code",
                "client_id": client_id,
                "redirect_uri": self._url.redirect_uri,
                **scopes,
                "state": begun.state.reveal(),
                "code_challenge": begun.challenge,
                "code_challenge_method": "S256",
            }
        )

    def _remember(self, response: Response, begun: AuthorizationRequest) -> None:
        """Have the browser keep the request until its user is back, and drop the oldest ones."""
        name = cookies.cookie_name(begun.state.reveal())
        value = cookies.sealed(begun, self._ledger)
        self._responses.set_cookie(response, CALLBACK, name, value, cookies.LIFETIME)
        order, oldest = cookies.ordered(request.cookies.get(cookies.ORDER, ""), name)
        for gone in oldest:
            self._responses.set_cookie(response, CALLBACK, gone, "", timedelta(0))
        self._responses.set_cookie(response, LINK, cookies.ORDER, order, cookies.LIFETIME)

    def callback(self) -> Response:
        """Back from the provider. Whatever came of it, the link's page says it."""
        state = request.args.get("state", "")[:_LONGEST_STATE]
        begun = self._begun(state)
        invitation = self._ledger.invitation(begun.invitation_id) if begun else None
        if begun is None or invitation is None:
            return self._without_cookie(state)
        if self._shutting_down.is_set():
            return self._responses.shutting_down()  # with the same state, which is not used yet
        try:
            self._finish(invitation, begun)
        except AlreadyUsed:
            log.info("connection %s: a state came back a second time", invitation.key)
        response = self._back_to(invitation)
        name = cookies.cookie_name(state)
        self._responses.set_cookie(response, CALLBACK, name, request.cookies[name], cookies.KEPT_AFTER_RETURN)
        return response

    def _begun(self, state: str) -> AuthorizationRequest | None:
        """The request that this browser began with this state."""
        value = request.cookies.get(cookies.cookie_name(state)) if state else None
        return cookies.opened(value, state, self._ledger, self._clock()) if value else None

    def _finish(self, invitation: Invitation, begun: AuthorizationRequest) -> None:
        state_sha256 = cookies.state_hash(begun.state.reveal())
        code = request.args.get("code", "")
        if not code or len(code) > _LONGEST_CODE or "error" in request.args:
            visit = self._said_instead(begun.verifier, begun.state)
            self._ledger.came_back(state_sha256, invitation.id, visit)
            _log_visit(invitation.key, visit)
            return
        self._exchange.redeem(invitation, state_sha256, Secret(code), begun.verifier, begun.confirmable)

    def _said_instead(self, *known: Secret) -> Visit:
        """What a callback says in place of a code; ``known`` are the secrets of its request."""
        code = Secret(request.args.get("code", ""))
        return after_callback_without_code(
            request.args.get("error", ""),
            request.args.get("error_description", ""),
            (*known, code, *self._exchange.secrets),
        )

    def _without_cookie(self, state: str) -> Response:
        """Back without what this browser was given: nothing goes on, and the operator learns of it."""
        response = self._responses.invalid_link(message_pages.COOKIE_MISSING, 400)
        if response.status_code != 400:  # noqa: PLR2004 - too many of them
            return response
        invitation_id = cookies.invitation_of(state, self._ledger)
        key = self._ledger.lost_track(invitation_id) if invitation_id else None
        if key is not None:
            error = self._error_too(Secret(state), described=True)
            log.warning("connection %s: came back without the cookie that it left with%s", key, error)
        else:  # anybody may have sent that: they get no word in here
            error = self._error_too(Secret(state), described=False)
            log.warning("somebody came back with a state that is none of ours%s", error)
        return response

    def _error_too(self, state: Secret, *, described: bool) -> str:
        """The error that a callback has besides; empty if it has none."""
        if "error" not in request.args:
            return ""
        visit = self._said_instead(state)
        said = f": {visit.said}" if described and visit.said else ""
        return f", and with an error: {visit.problem}{said}"

    def _back_to(self, invitation: Invitation) -> Response:
        now = self._ledger.invitation(invitation.id) or invitation
        if link_page(now, self._clock()) is not LinkPage.CONNECTED:
            return self._responses.to_link(invitation)
        done = f"{self._links.path(invitation.id)}/done"
        response = self._responses.to_path(done)
        back = cookies.returned(invitation.id, self._ledger, self._clock())
        self._responses.set_cookie(response, done, cookies.RETURNED, back, cookies.KEPT_AFTER_RETURN)
        return response


_LOG_LEVELS = {
    VisitOutcome.REFUSED: logging.INFO,
    VisitOutcome.PROVIDER_DOWN: logging.WARNING,
    VisitOutcome.SETUP: logging.ERROR,
}


def _log_visit(key: str, visit: Visit) -> None:
    """For the operator: the word, and what the provider said to it, masked."""
    level = _LOG_LEVELS.get(VisitOutcome(visit.outcome), logging.WARNING)
    said = f": {visit.said}" if visit.said else ""
    log.log(level, "connection %s: came back without a code: %s%s", key, visit.problem, said)
