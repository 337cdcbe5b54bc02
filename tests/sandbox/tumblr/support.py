"""A client of Tumblr for tests."""

from __future__ import annotations

from typing import Any

import requests

from tests.sandbox.application import Row
from tests.sandbox.signing import ConsumerApplication

EXCHANGE = "/v2/oauth2/exchange"
TOKEN = "/v2/oauth2/token"
INFO = "/v2/user/info"


class TumblrClient(ConsumerApplication):
    """An application that talks to one running sandbox."""

    exchange_path = EXCHANGE
    token_path = TOKEN

    def info(self, access_token: str) -> requests.Response:
        """Ask who the user is."""
        return self.call("GET", INFO, bearer=access_token)

    def info_signed(self, row: Row, **changes: Any) -> requests.Response:
        """Ask the same with a legacy token."""
        return self.send(row, "GET", INFO, **changes)


def name(answer: requests.Response) -> str:
    """The user's name in a good answer."""
    body = answer.json()
    assert body["meta"] == {"status": 200, "msg": "OK"}
    named: str = body["response"]["user"]["name"]
    return named


def error(answer: requests.Response) -> int:
    """The status of a refusal in the envelope; fails on any other answer."""
    body = answer.json()
    assert body.keys() == {"meta", "response", "errors"}
    assert body["response"] == []
    assert body["meta"].keys() == {"status", "msg"}
    (flaw,) = body["errors"]
    assert flaw.keys() == {"title", "code", "detail"}
    assert body["meta"]["status"] == answer.status_code
    assert (flaw["code"] == 1016) is (answer.status_code == 401)
    return answer.status_code
