"""A client of Garmin for tests."""

from __future__ import annotations

from typing import Any

import requests

from tests.sandbox.application import Row
from tests.sandbox.signing import ConsumerApplication

EXCHANGE = "/partner-gateway/rest/user/token-exchange"
USER_ID = "/wellness-api/rest/user/id"
REGISTRATION = "/partner-gateway/rest/user/registration"
TOKEN = "/di-oauth2-service/oauth/token"
LEGACY_LIFETIME = 30 * 86400
"""Seconds that a legacy token lives after its exchange."""


class GarminClient(ConsumerApplication):
    """An application that talks to one running sandbox."""

    exchange_path = EXCHANGE
    token_path = TOKEN

    def user(self, access_token: str) -> requests.Response:
        """Ask who the user is."""
        return self.call("GET", USER_ID, bearer=access_token)

    def user_signed(self, row: Row, **changes: Any) -> requests.Response:
        """Ask the same with a legacy token."""
        return self.send(row, "GET", USER_ID, **changes)

    def deregister(self, access_token: str) -> requests.Response:
        """End the user's registration."""
        return self.call("DELETE", REGISTRATION, bearer=access_token)


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
