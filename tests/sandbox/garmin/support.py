"""A client of Garmin for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from tests.sandbox.support import Client, Row

EXCHANGE = "/partner-gateway/rest/user/token-exchange"
USER_ID = "/wellness-api/rest/user/id"
REGISTRATION = "/partner-gateway/rest/user/registration"
TOKEN = "/di-oauth2-service/oauth/token"
LEGACY_LIFETIME = 30 * 86400
"""Seconds that a legacy token lives after its exchange."""


@dataclass(frozen=True)
class GarminClient(Client):
    """An application that talks to one running sandbox."""

    def exchange(self, row: Row, **changes: Any) -> requests.Response:
        """Exchange a row's token."""
        return self.send(row, "POST", changes.pop("path", EXCHANGE), **changes)

    def token(self, fields: Mapping[str, str | None], **further: Any) -> requests.Response:
        """Call the token endpoint with the client's id and secret; a field that is None is left out."""
        client = {"client_id": self.known["consumer_key"], "client_secret": self.known["client_secret"]}
        form = {name: value for name, value in {**client, **fields}.items() if value is not None}
        return self.session.post(self.base_url + TOKEN, data=form, **further)

    def renewed(
        self, refresh_token: str, fields: Mapping[str, str | None] | None = None, **further: Any
    ) -> requests.Response:
        """Use a refresh token; ``fields`` override the form."""
        wanted = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.token({**wanted, **(fields or {})}, **further)

    def user(self, access_token: str) -> requests.Response:
        """Ask who the user is."""
        return self.session.get(self.base_url + USER_ID, headers=_bearer(access_token))

    def user_signed(self, row: Row, **changes: Any) -> requests.Response:
        """Ask the same with a legacy token."""
        return self.send(row, "GET", USER_ID, **changes)

    def deregister(self, access_token: str) -> requests.Response:
        """End the user's registration."""
        return self.session.delete(self.base_url + REGISTRATION, headers=_bearer(access_token))


def failure(answer: requests.Response) -> int:
    """The status of a ``ServiceFailure``; fails on any other answer."""
    body = answer.json()
    assert body.keys() == {"errorType", "message", "errorMessage", "errorId"}
    return answer.status_code


def error(answer: requests.Response) -> tuple[int, str]:
    """Status and word of a refusal of the token endpoint."""
    body = answer.json()
    assert body.keys() == {"error", "error_description"}
    return answer.status_code, body["error"]


def _bearer(access_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token}"}
