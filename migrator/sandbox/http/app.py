"""The web application: which path is answered by which endpoint."""

from __future__ import annotations

from email.utils import formatdate
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from migrator.sandbox.http import control
from migrator.sandbox.http.messages import Answer, Call, Refusal
from migrator.sandbox.http.server import HANG_UP
from migrator.sandbox.oauth1 import authorisation, request_tokens, token_credentials
from migrator.sandbox.oauth2 import authorisation_endpoint, id_tokens, revocation, token_endpoint
from migrator.sandbox.state.witness import collect
from migrator.sandbox.xero import connections, migrate, migrate_intuit, organisation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from migrator.sandbox.http.middleware import Desk
    from migrator.sandbox.provider import Endpoint, Provider

MAX_BODY = 3_670_016
"""Bytes: 3.5 MB. Larger bodies are refused."""
MAX_DRAINED = 16 * MAX_BODY
"""Bytes that are still read of a body that is refused, so that the client is free to read the refusal."""
_CHUNK = 65536

# In lower case: the provider's paths match whatever their case.
ROUTES: tuple[tuple[str, tuple[str, ...], Endpoint], ...] = (
    ("/oauth/requesttoken", ("GET", "POST"), request_tokens.request_token),
    ("/oauth/accesstoken", ("GET", "POST"), token_credentials.access_token),
    ("/oauth/migrate", ("POST",), migrate.migrate),
    ("/v2/oauth2/tokens/migrate", ("POST",), migrate_intuit.migrate_intuit),
    ("/connections", ("GET",), connections.connections),
    ("/connections/<connection_id>", ("DELETE",), connections.disconnect),
    ("/connect/token", ("POST",), token_endpoint.token),
    ("/connect/revocation", ("POST",), revocation.revoke),
    ("/connect/userinfo", ("GET",), id_tokens.userinfo),
    ("/.well-known/openid-configuration", ("GET",), id_tokens.configuration),
    ("/.well-known/openid-configuration/jwks", ("GET",), id_tokens.keys),
    ("/api.xro/2.0/organisation", ("GET",), organisation.organisation),
    ("/api.xro/2.0/organisations", ("GET",), organisation.organisation),
)
# What people look at: no fault and no limit befalls these, and the witness does not count them.
PAGES: tuple[tuple[str, Endpoint], ...] = (
    ("/oauth/authorize", authorisation.authorise),
    ("/identity/connect/authorize", authorisation_endpoint.authorise),
)


def create_app(provider: Provider, desk: Desk) -> WSGIApplication:
    """The WSGI application that serves ``provider`` through ``desk``."""
    app = Flask(__name__, static_folder=None, template_folder=None)
    app.url_map.merge_slashes = False  # a redirect would break a signature
    for path, methods, endpoint in ROUTES:
        app.add_url_rule(
            path, path, partial(_answer, desk, endpoint), methods=methods, provide_automatic_options=False
        )
    for path, endpoint in PAGES:
        app.add_url_rule(
            path,
            path,
            partial(_page, provider, endpoint),
            methods=["GET", "POST"],
            provide_automatic_options=False,
        )
    app.add_url_rule("/_sandbox/stats", "stats", partial(_stats, provider), methods=["GET"])
    app.add_url_rule("/_sandbox/clock", "clock", partial(_control, provider, control.clock), methods=["POST"])
    app.register_error_handler(404, _not_found)
    app.register_error_handler(405, _wrong_method)
    app.after_request(partial(_dated, provider))
    return _any_case(app)


def _answer(desk: Desk, endpoint: Endpoint, **_of_the_path: str) -> Response:
    call = _call()
    if call is None:
        return _too_large()
    answer = desk.handle(endpoint, call)
    if answer is None:
        request.environ[HANG_UP] = True
        return Response(status=200)
    return _response(answer)


def _page(provider: Provider, endpoint: Endpoint) -> Response:
    call = _call()
    if call is None:
        return _too_large()
    try:
        return _response(endpoint(provider, call))
    except Refusal as refusal:
        return _response(refusal.answer)


def _control(provider: Provider, endpoint: Endpoint) -> Response:
    """Answer without the desk, and only who is on this machine, wherever the sandbox listens."""
    if not ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104 - nothing is bound
        message = "Only this machine may tell the sandbox what to do"
        return _response(Answer.of_json(403, {"error": "forbidden", "message": message}))
    call = _call()
    return _too_large() if call is None else _response(endpoint(provider, call))


def _too_large() -> Response:
    return _response(Answer.of_json(413, {"errors": [f"The body is larger than {MAX_BODY} bytes"]}))


def _call() -> Call | None:
    """The request as a ``Call``, or None if its body is too large."""
    body = request.stream.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        drained = len(body)
        while drained < MAX_DRAINED and (chunk := request.stream.read(_CHUNK)):
            drained += len(chunk)
        return None
    return Call(
        method=request.method,
        target=request.environ["REQUEST_URI"].encode("latin-1"),
        host=request.environ.get("HTTP_HOST", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        scheme=_scheme(),
    )


def _scheme() -> str:
    """What the client speaks: a proxy on this machine may speak TLS with it."""
    if ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104 - nothing is bound
        forwarded = request.headers.get("X-Forwarded-Proto", "").strip().lower()
        if forwarded in {"http", "https"}:
            return forwarded
    return "http"


def _response(answer: Answer) -> Response:
    response = Response(answer.body, answer.status, dict(answer.headers), content_type=answer.content_type)
    if not answer.content_type:
        del response.headers["Content-Type"]
    return response


def _stats(provider: Provider) -> Response:
    return _response(
        Answer.of_json(
            200, collect(provider.state, provider.clock.now(), tokens=request.args.get("tokens") != "0")
        )
    )


def _not_found(_error: object) -> Response:
    message = f"The sandbox does not answer {request.environ['REQUEST_URI'].partition('?')[0]}"
    return _response(Answer.of_json(404, {"error": "not_found", "message": message}))


def _wrong_method(error: object) -> Response:
    allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    message = f"The sandbox answers {allowed} here, not {request.method}"
    return _response(
        Answer.of_json(405, {"error": "method_not_allowed", "message": message}, {"Allow": allowed})
    )


def _dated(provider: Provider, response: Response) -> Response:
    response.headers["Date"] = formatdate(provider.clock.now(), usegmt=True)
    return response


def _any_case(app: WSGIApplication) -> WSGIApplication:
    """Route by the lower-case path. ``REQUEST_URI`` keeps the path as sent, for the signature."""

    def routed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ["PATH_INFO"].lower()
        return app(environ, start_response)

    return routed
