"""A client of Tumblr for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from tests.sandbox.support import Client, Row

EXCHANGE = "/v2/oauth2/exchange"
TOKEN = "/v2/oauth2/token"
INFO = "/v2/user/info"


@dataclass(frozen=True)
class TumblrClient(Client):
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

    def info(self, access_token: str) -> requests.Response:
        """Ask who the user is."""
        return self.session.get(self.base_url + INFO, headers={"Authorization": f"Bearer {access_token}"})

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
