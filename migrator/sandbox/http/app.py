"""The web application: gives each call to the endpoint of its path, and its answer to the client."""

from __future__ import annotations

from email.utils import formatdate
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from migrator.sandbox.http import control
from migrator.sandbox.http.messages import Answer, Call, Refusal
from migrator.sandbox.http.server import HANG_UP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from migrator.sandbox.http.middleware import Middleware
    from migrator.sandbox.http.service import Endpoint, Service
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.witness import Witness

MAX_BODY = 3_670_016
"""Bytes: 3.5 MB. Larger bodies are refused."""
MAX_DRAINED = 16 * MAX_BODY
"""Bytes that are still read of a body that is refused, so that the client is free to read the refusal."""
_CHUNK = 65536


def create_app(service: Service, middleware: Middleware, witness: Witness, clock: Clock) -> WSGIApplication:
    """The WSGI application that serves ``service`` through ``middleware``.

    ``witness`` says what it saw, and ``clock`` dates the answers.
    """
    app = Flask(__name__, static_folder=None, template_folder=None)
    app.url_map.merge_slashes = False  # a redirect would break a signature
    for route in service.routes:
        _add(app, route.path, route.methods, partial(_answer, middleware, route.endpoint))
    for route in service.pages:
        _add(app, route.path, route.methods, partial(_directly, route.endpoint))
    stats, move_clock = partial(control.stats, witness), partial(control.move_clock, clock)
    app.add_url_rule("/_sandbox/stats", "stats", partial(_directly, stats), methods=["GET"])
    app.add_url_rule("/_sandbox/clock", "clock", partial(_from_here_only, move_clock), methods=["POST"])
    app.register_error_handler(404, _not_found)
    app.register_error_handler(405, _wrong_method)
    app.after_request(partial(_dated, clock))
    return _any_case(app)


def _add(app: Flask, path: str, methods: tuple[str, ...], view: Callable[..., Response]) -> None:
    app.add_url_rule(path, path, view, methods=methods, provide_automatic_options=False)


def _answer(middleware: Middleware, endpoint: Endpoint, **_of_the_path: str) -> Response:
    call = _call()
    if call is None:
        return _too_large()
    answer = middleware.handle(endpoint, call)
    if answer is None:
        request.environ[HANG_UP] = True
        return Response(status=200)
    return _response(answer)


def _directly(endpoint: Endpoint, **_of_the_path: str) -> Response:
    """Answer without the middleware."""
    call = _call()
    if call is None:
        return _too_large()
    try:
        return _response(endpoint(call))
    except Refusal as refusal:
        return _response(refusal.answer)


def _from_here_only(endpoint: Endpoint) -> Response:
    """Answer only who is on this machine, wherever the sandbox listens."""
    if not ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104 - nothing is bound
        message = "Only this machine may tell the sandbox what to do"
        return _response(Answer.of_json(403, {"error": "forbidden", "message": message}))
    return _directly(endpoint)


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
        address=request.remote_addr or "",
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


def _not_found(_error: object) -> Response:
    message = f"The sandbox does not answer {request.environ['REQUEST_URI'].partition('?')[0]}"
    return _response(Answer.of_json(404, {"error": "not_found", "message": message}))


def _wrong_method(error: object) -> Response:
    allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    message = f"The sandbox answers {allowed} here, not {request.method}"
    return _response(
        Answer.of_json(405, {"error": "method_not_allowed", "message": message}, {"Allow": allowed})
    )


def _dated(clock: Clock, response: Response) -> Response:
    response.headers["Date"] = formatdate(clock.now(), usegmt=True)
    return response


def _any_case(app: WSGIApplication) -> WSGIApplication:
    """Route by the lower-case path. ``REQUEST_URI`` keeps the path as sent, for the signature."""

    def routed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ["PATH_INFO"].lower()
        return app(environ, start_response)

    return routed
