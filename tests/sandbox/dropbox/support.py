"""A client of Dropbox for tests: plain requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from tests.sandbox.application import Application, Row

EXCHANGE = "/2/auth/token/from_oauth1"
REVOKE = "/2/auth/token/revoke"
ACCOUNT = "/2/users/get_current_account"


class DropboxClient(Application):
    """An application that talks to one running sandbox."""

    def exchange(
        self, row: Row, fields: Mapping[str, object] | None = None, **further: Any
    ) -> requests.Response:
        """Exchange a row's token; ``fields`` override the JSON body."""
        wanted = {"oauth1_token": row["oauth_token"], "oauth1_token_secret": row["oauth_token_secret"]}
        further.setdefault("auth", self.basic)
        return self.call("POST", EXCHANGE, json={**wanted, **(fields or {})}, **further)

    def access_token(self, row: Row) -> str:
        """What an exchange gives."""
        answer = self.exchange(row)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["oauth2_token"]
        return token

    def null(self, path: str, access_token: str, body: bytes = b"null", **further: Any) -> requests.Response:
        """Call an endpoint that takes no argument."""
        headers = {"Content-Type": "application/json", **further.pop("headers", {})}
        return self.call("POST", path, bearer=access_token, data=body, headers=headers, **further)


def tag(answer: requests.Response) -> tuple[int, str]:
    """Status and tag of a refusal, which sums itself up besides."""
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert body.keys() == {"error", "error_summary"}
    word: str = body["error"][".tag"]
    assert body["error_summary"].startswith(f"{word}/")
    return answer.status_code, word
