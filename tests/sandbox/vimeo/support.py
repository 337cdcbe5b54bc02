"""A client of Vimeo for tests: plain requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests

from tests.sandbox.application import Application, Row

EXCHANGE = "/oauth/authorize/vimeo_oauth1"
VENDORS_JSON = "application/vnd.vimeo.auth+json"


class VimeoClient(Application):
    """An application that talks to one running sandbox."""

    def exchange(
        self, row: Row, fields: Mapping[str, object] | None = None, *, json_type: str = "", **further: Any
    ) -> requests.Response:
        """Exchange a row's token; ``fields`` override the form. With ``json_type``: as JSON of this type."""
        wanted = {
            "grant_type": "vimeo_oauth1",
            "token": row["oauth_token"],
            "token_secret": row["oauth_token_secret"],
            **(fields or {}),
        }
        further.setdefault("auth", self.basic)
        if json_type:
            headers = {"Content-Type": json_type}
            return self.call("POST", EXCHANGE, data=json.dumps(wanted), headers=headers, **further)
        return self.call("POST", EXCHANGE, data=wanted, **further)

    def verify(self, access_token: str) -> requests.Response:
        """Ask whose an access token is."""
        return self.call("GET", "/oauth/verify", bearer=access_token)


def error(answer: requests.Response) -> tuple[int, str]:
    """Status and word of a refusal, which says a sentence besides."""
    body = answer.json()
    assert body.keys() == {"error", "error_description"}
    return answer.status_code, body["error"]
