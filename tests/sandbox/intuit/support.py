"""A client of Intuit for tests: plain requests, signed by oauthlib where something is signed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Literal
from xml.etree import ElementTree as ET

import requests
from oauthlib import oauth1

from tests.sandbox.application import Application, Row

MIGRATE = "/v2/oauth2/tokens/migrate"
RECONNECT = "/api/v1/connection/reconnect"
REFRESH = "/oauth2/v1/tokens/bearer"
SCOPE = "com.intuit.quickbooks.accounting"
DAY = 86400


class IntuitClient(Application):
    """An application that talks to one running sandbox."""

    def signed(
        self, row: Row, method: Literal["GET", "POST"], path: str, **changes: Any
    ) -> tuple[str, dict[str, str]]:
        """URL and headers of a call that a row's token signs, dated by the sandbox's clock."""
        arguments = {
            "client_secret": self.known["consumer_secret"],
            "resource_owner_key": row["oauth_token"],
            "resource_owner_secret": row["oauth_token_secret"],
            "timestamp": str(int(time.time() + self.stats()["clock_advanced_seconds"])),
        }
        key = changes.pop("client_key", self.known["consumer_key"])
        signer = oauth1.Client(key, **{**arguments, **changes})
        uri, signed, _ = signer.sign(self.base_url + path, method)
        return uri, signed

    def migrate(
        self, row: Row, fields: Mapping[str, object] | None = None, **changes: Any
    ) -> requests.Response:
        """Swap a row's token; ``fields`` override the JSON body."""
        body = {
            "scope": SCOPE,
            "redirect_uri": self.known["redirect_uris"][0],
            "client_id": self.known["client_id"],
            "client_secret": self.known["client_secret"],
            **(fields or {}),
        }
        uri, headers = self.signed(row, "POST", MIGRATE, **changes)
        headers["Content-Type"] = "application/json"
        return self.session.post(uri, data=json.dumps(body), headers=headers)

    def reconnect(self, row: Row, **changes: Any) -> requests.Response:
        """Replace a row's token."""
        uri, headers = self.signed(row, "GET", RECONNECT, **changes)
        return self.session.get(uri, headers=headers)

    def refresh(self, refresh_token: str, **further: Any) -> requests.Response:
        """Use a refresh token."""
        further.setdefault("auth", self.basic)
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **further.pop("form", {})}
        return self.call("POST", REFRESH, data=form, **further)


def told(answer: requests.Response) -> dict[str, str]:
    """What an XML answer says, by element."""
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/xml")
    root = ET.fromstring(answer.content)  # the sandbox's own
    return {element.tag.rpartition("}")[2]: element.text or "" for element in root}


def problem(answer: requests.Response) -> tuple[int, str]:
    """Status of a refusal that stands in a header alone, and the header."""
    assert answer.content == b""
    return answer.status_code, answer.headers["WWW-Authenticate"]
