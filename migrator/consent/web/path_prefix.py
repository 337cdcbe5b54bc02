"""The public URL's path, taken off the requests that reach us with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.consent.public_url import PublicUrl

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class PathPrefix:
    """Middleware: takes our path off the beginning of a request's, unless a proxy has done so."""

    def __init__(self, app: WSGIApplication, public_url: PublicUrl) -> None:
        self._app = app
        self._url = public_url

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = self._url.routed(environ.get("PATH_INFO", ""))
        return self._app(environ, start_response)
