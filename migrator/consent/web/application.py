"""The web application: its routes, its error handlers, and what every answer says.

A user's way: the link's page, its one button (``start``), the provider, the callback, and back to the link's
page, which says what came of it. Whatever is loaded again shows where things stand.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask, Response
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header
from werkzeug.middleware.proxy_fix import ProxyFix

from migrator.consent import pages
from migrator.consent.exchange import Exchange
from migrator.consent.pages import rendering
from migrator.consent.pages.rendering import Branding
from migrator.consent.public_url import CALLBACK, LINK, STATIC, PublicUrl
from migrator.consent.web.authorisation import AuthorizationRoutes
from migrator.consent.web.error_handlers import ErrorHandlers, message_of
from migrator.consent.web.invitation_links import InvitationLinks
from migrator.consent.web.invitation_pages import InvitationPages
from migrator.consent.web.link_routes import LinkRoutes
from migrator.consent.web.path_prefix import PathPrefix
from migrator.consent.web.protection.limits import LARGEST_REQUEST
from migrator.consent.web.protection.security_headers import security_headers
from migrator.consent.web.responses import Responses
from migrator.errors import LedgerUnwritableError
from migrator.ledger.consent_ledger import ConsentLedger
from migrator.models import Clock
from migrator.providers import Profile

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


class ConsentApplication:
    """The routes put together."""

    def __init__(
        self,
        ledger: ConsentLedger,
        exchange: Exchange,
        profile: Profile,
        branding: Branding,
        public_url: PublicUrl,
        *,
        clock: Clock,
        shutting_down: threading.Event,
        on_unwritable: Callable[[BaseException], None],
    ) -> None:
        """Once ``shutting_down`` is set, nothing new is begun. ``on_unwritable`` is told when the ledger
        cannot be written: then nobody may be sent to the provider.
        """
        self._branding = branding
        self._url = public_url
        self._headers = security_headers(public_url)
        links = InvitationLinks(ledger, public_url)
        responses = Responses(branding, public_url, links)
        invitation_pages = InvitationPages(
            ledger, profile, branding, public_url, links, responses, clock=clock
        )
        self._flask = self._routed(
            LinkRoutes(ledger, links, responses, invitation_pages, clock=clock),
            AuthorizationRoutes(
                ledger,
                exchange,
                profile,
                branding,
                public_url,
                links,
                responses,
                clock=clock,
                shutting_down=shutting_down,
            ),
            ErrorHandlers(links, responses, on_unwritable),
        )

    def wsgi(self, *, proxies: int) -> WSGIApplication:
        """The WSGI application; ``proxies`` is how many are believed where a request comes from."""
        prefixed = PathPrefix(self._flask, self._url)
        if not proxies:
            return prefixed
        return ProxyFix(prefixed, x_for=proxies, x_proto=proxies, x_host=0, x_port=0, x_prefix=proxies)

    def refusal(self, status: int, accept_language: str) -> tuple[list[tuple[str, str]], bytes]:
        """Headers and body of the answer to what the web server does not take for a request."""
        language = self._branding.languages.best(parse_accept_header(accept_language, LanguageAccept))
        with self._flask.app_context():
            response = self._with_security_headers(
                rendering.message(self._branding, self._url, language, message_of(status), status)
            )
        return list(response.headers), response.get_data()

    def _routed(self, links: LinkRoutes, authorization: AuthorizationRoutes, errors: ErrorHandlers) -> Flask:
        # The package whose templates and static files they are.
        app = Flask(pages.__name__, static_url_path=STATIC.rstrip("/"))
        app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
        app.url_map.merge_slashes = False  # it would redirect, to wherever a request says that it came
        app.add_url_rule(f"{LINK}<token>", "link", links.link)
        app.add_url_rule(f"{LINK}<token>/start", "start", authorization.start, methods=["POST"])
        app.add_url_rule(f"{LINK}<token>/done", "done", links.done)
        app.add_url_rule(CALLBACK, "callback", authorization.callback)
        app.before_request(errors.too_large)
        app.after_request(self._with_security_headers)
        app.register_error_handler(HTTPException, errors.http_error)
        app.register_error_handler(LedgerUnwritableError, errors.unwritable)
        app.register_error_handler(Exception, errors.internal_error)
        return app

    def _with_security_headers(self, response: Response) -> Response:
        response.headers.update(self._headers)
        return response
