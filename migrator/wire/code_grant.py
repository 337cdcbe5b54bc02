"""The exchange of an authorisation code (RFC 6749, 4.1.3), prepared by requests-oauthlib.

Nothing else knows what such a request looks like. It is prepared here and sent by the wire, as every request
is: requests-oauthlib by itself would follow redirects, refuse plain http to this machine, and write what it
sends and gets into its log.
"""

from __future__ import annotations

from typing import Any, NoReturn

import requests
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from migrator.providers import Code


def prepared(url: str, code: Code) -> requests.Request:
    """The request that exchanges a code at ``url``."""
    session = _Preparing(client_id=code.credentials.client_id, redirect_uri=code.redirect_uri)
    try:
        session.fetch_token(
            # It is checked to be https, and not used: plain http to this machine is allowed, and only that
            # (see settings).
            "https://localhost/",
            code=code.code.reveal(),
            code_verifier=code.verifier.reveal(),
            # As bytes: requests would encode a text as Latin-1, which not every secret is.
            auth=HTTPBasicAuth(
                code.credentials.client_id.encode(), code.credentials.client_secret.reveal().encode()
            ),
        )
    except _ReadyError as ready:
        return requests.Request(url=url, **ready.request)
    finally:
        session.close()
    raise AssertionError("requests-oauthlib did not ask for a token")


class _ReadyError(Exception):
    """What would have been sent."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__()
        self.request = request


class _Preparing(OAuth2Session):
    """requests-oauthlib's session, which sends nothing."""

    def request(  # type: ignore[override]
        self, method: str, url: str, *, data: Any, headers: Any, auth: Any, **_: Any
    ) -> NoReturn:
        del url
        raise _ReadyError({"method": method, "data": data, "headers": headers, "auth": auth})
