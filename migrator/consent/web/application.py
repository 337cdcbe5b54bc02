"""The web application: which request is answered how. What it means is in ``flow``, its words in ``words``.

A user's way: the link's page, its one button, the provider, the callback, and back to the link's page, which
says what came of it. Only the callback changes anything, and only once a ``state``: whatever is loaded again
shows where things stand.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Flask, Response, make_response, redirect, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header
from werkzeug.middleware.proxy_fix import ProxyFix

from migrator.consent import pages
from migrator.consent.exchange import Exchange
from migrator.consent.links.tokens import Tokens, may_be_link
from migrator.consent.pages import rendering
from migrator.consent.pages.languages import Language
from migrator.consent.pages.rendering import Face
from migrator.consent.pages.texts import not_connected as words
from migrator.consent.pages.texts.not_connected import Message, Names
from migrator.consent.public_url import CALLBACK, LINK, STATIC, PublicUrl
from migrator.consent.visits import outcomes as flow
from migrator.consent.visits.outcomes import Page
from migrator.consent.web import cookies
from migrator.consent.web.cookies import Journey
from migrator.consent.web.protection import limits as guard
from migrator.errors import LedgerUnwritableError
from migrator.ledger import AlreadyUsed, ConsentLedger, Invitation, Visit
from migrator.models import Clock, Secret
from migrator.providers import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from werkzeug.wrappers import Response as BaseResponse

log = logging.getLogger(__name__)

_LONGEST_STATE = 256
_LONGEST_CODE = 4096

_MESSAGES = {
    404: words.NO_PAGE,
    405: words.WRONG_METHOD,
    413: words.TOO_LARGE,
    414: words.TOO_LARGE,
}
_OF_PAGE = {
    Page.EXPIRED: (words.EXPIRED, 410),
    Page.USED: (words.USED, 410),
    Page.NOT_NEEDED: (words.NOT_NEEDED, 200),
    Page.CHECKING: (words.CHECKING, 200),
    Page.EXCHANGING: (words.EXCHANGING, 200),
}
_PASSING = (Page.CHECKING, Page.EXCHANGING)
"""What will be another page soon."""


class Site:
    """The pages, and what stands behind them."""

    def __init__(
        self,
        ledger: ConsentLedger,
        exchange: Exchange,
        profile: Profile,
        face: Face,
        public_url: PublicUrl,
        *,
        clock: Clock,
        ending: threading.Event,
        broken: Callable[[BaseException], None],
    ) -> None:
        """Once ``ending`` is set, nothing new is begun. ``broken`` is told when the ledger cannot be written:
        then nobody may be sent to the provider.
        """
        self._ledger = ledger
        self._exchange = exchange
        self._profile = profile
        self._face = face
        self._url = public_url
        self._clock = clock
        self._broken = broken
        self._tokens = Tokens(ledger.link_key)
        self._guesses = guard.Guesses()
        self._ending = ending
        self._headers = guard.headers(public_url)
        self._flask = self._routed()

    def app(self, *, proxies: int) -> WSGIApplication:
        """The WSGI application; ``proxies`` is how many are believed where a request comes from."""
        routed = _Routed(self._flask, self._url)
        if not proxies:
            return routed
        return ProxyFix(routed, x_for=proxies, x_proto=proxies, x_host=0, x_port=0, x_prefix=proxies)

    def refusal(self, status: int, accept_language: str) -> tuple[list[tuple[str, str]], bytes]:
        """Headers and body of the answer to what the web server does not take for a request."""
        language = self._face.languages.best(parse_accept_header(accept_language, LanguageAccept))
        message = _MESSAGES.get(status, words.NO_PAGE)
        with self._flask.app_context():
            response = self._dressed(rendering.message(self._face, self._url, language, message, status))
        return list(response.headers), response.get_data()

    def _routed(self) -> Flask:
        app = Flask(pages.__name__, static_url_path=STATIC.rstrip("/"))
        app.config["MAX_CONTENT_LENGTH"] = guard.LARGEST_REQUEST
        app.url_map.merge_slashes = False  # it would redirect, to wherever a request says that it came
        app.add_url_rule(f"{LINK}<token>", "link", self._link)
        app.add_url_rule(f"{LINK}<token>/start", "start", self._start, methods=["POST"])
        app.add_url_rule(f"{LINK}<token>/done", "done", self._done)
        app.add_url_rule(CALLBACK, "callback", self._callback)
        app.before_request(self._bounded)
        app.after_request(self._dressed)
        app.register_error_handler(HTTPException, self._http_error)
        app.register_error_handler(LedgerUnwritableError, self._unwritable)
        app.register_error_handler(Exception, self._fault)
        return app

    # --- pages ---

    def _link(self, token: str) -> Response:
        """Where a link leads: the invitation, or why there is none."""
        invitation = self._invitation()
        if invitation is None:
            return self._guess()
        if token != self._tokens.of(invitation.id):  # something has changed the link, or it is an old one
            return self._to_link(invitation)
        if guard.is_visit(request.method, request.headers.get):
            self._ledger.opened(invitation.id)
        page = flow.page(invitation, self._clock())
        if page is Page.INVITE:
            return self._invite(invitation, token)
        if page is Page.CONNECTED:
            return self._connected(invitation, just_now=False)
        if page is Page.EXPIRED and flow.notice(invitation):
            return self._ended(invitation)
        again = self._url.of(LINK + token) if page in _PASSING else ""
        return self._message(*_OF_PAGE[page], again=again)

    def _done(self, token: str) -> Response:
        """Where a user lands who has just connected what was asked for."""
        del token
        invitation = self._invitation()
        if invitation is None:
            return self._guess()
        if flow.page(invitation, self._clock()) is not Page.CONNECTED:
            return self._to_link(invitation)
        return self._connected(invitation, just_now=True)

    def _start(self, token: str) -> Response:
        """Off to the provider, with a state that only this browser can bring back."""
        del token
        invitation = self._invitation()
        if invitation is None:
            return self._guess()
        if flow.page(invitation, self._clock()) is not Page.INVITE:
            return self._to_link(invitation)
        if self._ending.is_set():
            return self._in_a_minute()
        self._ledger.opened(invitation.id)  # a browser may show a page that it has fetched in advance
        journey = Journey.begin(invitation.id, flow.told(invitation), self._ledger, self._clock())
        response = _redirect(f"{self._profile.authorise_url}?{self._question(journey)}")
        name = cookies.cookie_name(journey.state.reveal())
        self._set_cookie(response, CALLBACK, name, cookies.sealed(journey, self._ledger), cookies.LIFETIME)
        order, oldest = cookies.ordered(request.cookies.get(cookies.ORDER, ""), name)
        for gone in oldest:
            self._set_cookie(response, CALLBACK, gone, "", timedelta(0))
        self._set_cookie(response, LINK, cookies.ORDER, order, cookies.LIFETIME)
        return response

    def _set_cookie(self, response: Response, path: str, name: str, value: str, kept: timedelta) -> None:
        response.set_cookie(
            name,
            value,
            max_age=int(kept.total_seconds()),
            path=self._url.path + path,
            secure=self._url.https,
            httponly=True,
            samesite="Lax",
        )

    def _question(self, journey: Journey) -> str:
        """The authorisation request (RFC 6749, 4.1.1; RFC 7636, 4.3)."""
        return urlencode(
            {
                "response_type": "code",
                "client_id": self._face.client_id,
                "redirect_uri": self._url.redirect_uri,
                "scope": " ".join(self._face.scopes),
                "state": journey.state.reveal(),
                "code_challenge": journey.challenge,
                "code_challenge_method": "S256",
            }
        )

    def _callback(self) -> Response:
        """Back from the provider. Whatever came of it, the link's page says it."""
        state = request.args.get("state", "")[:_LONGEST_STATE]
        journey = self._journey(state)
        invitation = self._ledger.invitation(journey.invitation_id) if journey else None
        if journey is None or invitation is None:
            return self._lost_track(state)
        if self._ending.is_set():
            return self._in_a_minute()  # with the same state, which is not used yet
        try:
            self._settle(invitation, journey)
        except AlreadyUsed:
            log.info("connection %s: a state came back a second time", invitation.key)
        response = self._back_to(invitation)
        name = cookies.cookie_name(state)
        self._set_cookie(response, CALLBACK, name, request.cookies[name], cookies.KEPT)
        return response

    def _settle(self, invitation: Invitation, journey: Journey) -> None:
        state_sha256 = cookies.state_hash(journey.state.reveal())
        code = request.args.get("code", "")
        if not code or len(code) > _LONGEST_CODE or "error" in request.args:
            visit = flow.came_back_without_code(
                request.args.get("error", ""), request.args.get("error_description", "")
            )
            self._ledger.came_back(state_sha256, invitation.id, visit)
            _tell(invitation.key, visit)
            return
        self._exchange.redeem(invitation, state_sha256, Secret(code), journey.verifier, journey.told)

    def _lost_track(self, state: str) -> Response:
        """Back without what this browser was given: nothing goes on, and the operator learns of it."""
        response = self._guess(words.LOST_TRACK, 400)
        if response.status_code != 400:  # noqa: PLR2004 - too many of them
            return response
        invitation_id = cookies.invitation_of(state, self._ledger)
        key = self._ledger.lost_track(invitation_id) if invitation_id else None
        if key is not None:
            log.warning("connection %s: came back without the cookie that it left with", key)
        else:
            log.warning("somebody came back with a state that is none of ours")
        return response

    def _journey(self, state: str) -> Journey | None:
        value = request.cookies.get(cookies.cookie_name(state)) if state else None
        return cookies.opened(value, state, self._ledger, self._clock()) if value else None

    def _back_to(self, invitation: Invitation) -> Response:
        now = self._ledger.invitation(invitation.id) or invitation
        if flow.page(now, self._clock()) is not Page.CONNECTED:
            return self._to_link(invitation)
        done = f"{LINK}{self._tokens.of(invitation.id)}/done"
        response = self._to(done)
        back = cookies.returned(invitation.id, self._ledger, self._clock())
        self._set_cookie(response, done, cookies.BACK, back, cookies.KEPT)
        return response

    # --- what they are made of ---

    def _invitation(self) -> Invitation | None:
        """The one whose token stands anywhere in what is asked for."""
        invitation_id = self._tokens.read(_asked())
        return self._ledger.invitation(invitation_id) if invitation_id else None

    def _astray(self) -> Response | None:
        """Where there is no such page: a link may still stand in it, or what is left of one."""
        invitation = self._invitation()
        if invitation is not None:
            return self._to_link(invitation)
        return self._guess() if may_be_link(_asked()) else None

    def _guess(self, message: Message = words.BAD_LINK, status: int = 404) -> Response:
        """Nothing that we have made."""
        if self._guesses.one_too_many(request.remote_addr or "", time.monotonic()):
            response = self._message(words.TOO_MANY, 429)
            response.headers["Retry-After"] = "60"
            return response
        return self._message(message, status)

    def _in_a_minute(self) -> Response:
        """We are about to end, and somebody else will go on."""
        response = self._message(words.ENDING, 503)
        response.headers["Retry-After"] = "60"
        return response

    def _names(self, invitation: Invitation, language: Language) -> Names:
        return Names(
            words.application(self._face.application, language),
            self._profile.title,
            words.organisation(invitation.organisation, language),
        )

    def _language(self) -> Language:
        """The one that this browser's user reads."""
        return self._face.languages.best(request.accept_languages)

    def _invite(self, invitation: Invitation, token: str) -> Response:
        language = self._language()
        names = self._names(invitation, language)
        came = flow.notice(invitation)
        return self._page(
            "invite.html",
            names=names,
            notice=words.notice_text(came, names, invitation.connected, language) if came else None,
            why=words.why_now(flow.story(invitation), names, language),
            scopes=[
                language.say(self._profile.scopes[scope]) if scope in self._profile.scopes else scope
                for scope in self._face.scopes
            ],
            ends=words.link_ends_text(invitation.expires_at, language),
            start=f"{self._url.path}{LINK}{token}/start",
        )

    def _connected(self, invitation: Invitation, *, just_now: bool) -> Response:
        """What is connected, and what else is wanted of whoever reads mail at the same address.

        The other links, with the names of their organisations, are for the browser alone that has just come
        back from a consent which connected what this link asks for: it has shown that it belongs to one of
        the address's organisations. Whoever only holds a link, as by a forwarded mail or a page that is
        opened again later, reads that there are others, and not which.
        """
        language = self._language()
        others = self._ledger.remaining(invitation.id)
        value = request.cookies.get(cookies.BACK, "")
        back = just_now and cookies.has_just_returned(value, invitation.id, self._ledger, self._clock())
        links = [
            (
                words.organisation(other.organisation, language),
                self._url.of(LINK + self._tokens.of(other.id)),
            )
            for other in (others if back else ())
        ]
        left = words.left_text(len(others), links=bool(links), tongue=language)
        told = words.connected_text(self._names(invitation, language), invitation.connected, language)
        return self._page("connected.html", told=told, just_now=just_now, left=left, links=links)

    def _ended(self, invitation: Invitation) -> Response:
        """A link that has ended since its user left for the provider, or before they came once more."""
        language, came = self._language(), flow.notice(invitation)
        if came is None:
            return self._message(*_OF_PAGE[Page.EXPIRED])
        names = self._names(invitation, language)
        said = words.ended_text(came, names, invitation.connected, language)
        return self._page("message.html", 410, message=said)

    def _message(self, message: Message, status: int, again: str = "") -> Response:
        return rendering.message(self._face, self._url, self._language(), message, status, again)

    def _page(self, template: str, status: int = 200, **facts: object) -> Response:
        return rendering.page(self._face, self._url, self._language(), template, status, **facts)

    def _to_link(self, invitation: Invitation) -> Response:
        return self._to(LINK + self._tokens.of(invitation.id))

    def _to(self, path: str) -> Response:
        return _redirect(self._url.of(path))

    # --- around every request ---

    def _bounded(self) -> Response | None:
        """Refuse what is longer than any request to us could be."""
        length = request.content_length
        chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        if chunked or (length or 0) > guard.LARGEST_REQUEST:
            response = self._message(words.TOO_LARGE, 413)
            response.headers["Connection"] = "close"
            return response
        return None

    def _dressed(self, response: Response) -> Response:
        response.headers.update(self._headers)
        return response

    def _http_error(self, error: HTTPException) -> BaseResponse:
        status = error.code or 500
        if status < 400:  # noqa: PLR2004 - a redirect of the router's
            return error.get_response()
        if status in (404, 405) and request.method in ("GET", "HEAD") and (found := self._astray()):
            return found
        response = self._message(_MESSAGES.get(status, words.NO_PAGE), status)
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response

    def _unwritable(self, error: LedgerUnwritableError) -> Response:
        """Nothing further may be sent: what came could not be recorded."""
        self._broken(error)
        return self._message(words.BROKEN, 503)

    def _fault(self, error: Exception) -> Response:
        """Ours; the place is for the log, the message might quote a secret."""
        trace, where = error.__traceback__, "nowhere"
        while trace is not None:
            where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
            trace = trace.tb_next
        log.error("a page failed: %s at %s", type(error).__name__, where)
        return self._message(words.BROKEN, 500)


def _asked() -> str:
    """What a request asks for: links are broken where nobody expects it, also by a question mark."""
    return f"{request.path}?{request.query_string.decode('latin-1')}"


_TOLD = {flow.Came.REFUSED: log.info, flow.Came.DOWN: log.warning, flow.Came.SETUP: log.error}


def _tell(key: str, visit: Visit) -> None:
    """To the operator's log: the word, and what the provider said to it, masked."""
    tell = _TOLD.get(flow.Came(visit.outcome), log.warning)
    said = f": {visit.said}" if visit.said else ""
    tell("connection %s: came back without a code: %s%s", key, visit.problem, said)


def _redirect(url: str) -> Response:
    """To a URL of our own making, with a GET."""
    response = make_response(redirect(url, 303))
    response.autocorrect_location_header = False
    return response


class _Routed:
    """Takes our path off the beginning of a request's, unless a proxy has done so."""

    def __init__(self, app: WSGIApplication, public_url: PublicUrl) -> None:
        self._app = app
        self._url = public_url

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = self._url.routed(environ.get("PATH_INFO", ""))
        return self._app(environ, start_response)
