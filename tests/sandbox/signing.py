"""Applications that sign with a legacy token: by oauthlib, which the sandbox does not use."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode

import requests
from oauthlib import oauth1

from tests.sandbox.application import Application, Row

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
Method = Literal["GET", "POST"]
Parameters = list[tuple[str, str]]


class Signer(oauth1.Client):
    """oauthlib's, which lets a test change the OAuth parameters before they are signed."""

    def __init__(
        self,
        client_key: str,
        change: Callable[[Parameters], Parameters] = lambda given: given,
        **further: Any,
    ) -> None:
        super().__init__(client_key, **further)
        self.change = change

    def get_oauth_params(self, request: Any) -> Parameters:
        """The parameters of one request."""
        given: Parameters = super().get_oauth_params(request)  # type: ignore[no-untyped-call]
        return self.change(given)


class Signing(Application):
    """An application whose calls a legacy token signs."""

    def signer(self, row: Row, **changes: Any) -> Signer:
        """A signer with the row's token; ``changes`` override its arguments."""
        arguments: dict[str, Any] = {
            "client_secret": self.known["consumer_secret"],
            "resource_owner_key": row["oauth_token"],
            "resource_owner_secret": row["oauth_token_secret"],
            "signature_type": oauth1.SIGNATURE_TYPE_AUTH_HEADER,
        }
        return Signer(changes.pop("client_key", self.known["consumer_key"]), **{**arguments, **changes})

    def send(
        self,
        row: Row,
        method: Method,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        json_body: object = None,
        headers: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> requests.Response:
        """Send a signed request; ``form`` takes part in the signature, ``json_body`` does not."""
        sent = dict(headers or {})
        body = None
        if form is not None:
            sent |= _FORM
            body = urlencode(form)
        uri, signed, body = self.signer(row, **changes).sign(self.base_url + path, method, body, sent)
        if json_body is not None:
            body = json.dumps(json_body)
            signed["Content-Type"] = "application/json"
        return self.session.request(method, uri, data=body, headers=signed)


class ConsumerApplication(Signing):
    """One whose OAuth 2.0 client id is its consumer key, and whose exchange is signed."""

    exchange_path: ClassVar[str]
    token_path: ClassVar[str]

    def exchange(self, row: Row, **changes: Any) -> requests.Response:
        """Exchange a row's token."""
        return self.send(row, "POST", changes.pop("path", self.exchange_path), **changes)

    def token(self, fields: Mapping[str, str | None], **further: Any) -> requests.Response:
        """Call the token endpoint with the client's id and secret; a field that is None is left out."""
        client = {"client_id": self.known["consumer_key"], "client_secret": self.known["client_secret"]}
        form = {name: value for name, value in {**client, **fields}.items() if value is not None}
        return self.call("POST", self.token_path, data=form, **further)

    def renewed(
        self, refresh_token: str, fields: Mapping[str, str | None] | None = None, **further: Any
    ) -> requests.Response:
        """Use a refresh token; ``fields`` override the form."""
        wanted = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.token({**wanted, **(fields or {})}, **further)
