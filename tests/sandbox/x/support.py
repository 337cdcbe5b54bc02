"""A client of X for tests: plain requests, signed by oauthlib where something is signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from oauthlib import oauth1

from tests.sandbox.application import Application, Row

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
OAUTH1_TOKEN = "urn:x:params:oauth:token-type:oauth1_token"
"""The type of a subject token."""


class XClient(Application):
    """An application that talks to one running sandbox."""

    def token(self, fields: Mapping[str, str | None], **further: Any) -> requests.Response:
        """Call the token endpoint as the confidential client; a field that is None is left out."""
        further.setdefault("auth", self.basic)
        return self._post("/2/oauth2/token", fields, **further)

    def exchange(self, row: Row, fields: Mapping[str, str | None] | None = None, **further: Any) -> Any:
        """Exchange a row's token; ``fields`` override the form."""
        wanted = {
            "grant_type": EXCHANGE,
            "subject_token": row["oauth_token"],
            "subject_token_type": OAUTH1_TOKEN,
            "oauth_token_secret": row["oauth_token_secret"],
        }
        return self.token({**wanted, **(fields or {})}, **further)

    def refresh(self, refresh_token: str, **further: Any) -> requests.Response:
        """Use a refresh token."""
        return self.token({"grant_type": "refresh_token", "refresh_token": refresh_token}, **further)

    def revoke(self, fields: Mapping[str, str | None], **further: Any) -> requests.Response:
        """Call the revocation endpoint as the confidential client."""
        further.setdefault("auth", self.basic)
        return self._post("/2/oauth2/revoke", fields, **further)

    def me(self, access_token: str) -> requests.Response:
        """Ask who the user is."""
        return self.call("GET", "/2/users/me", bearer=access_token)

    def me_signed(self, row: Row) -> requests.Response:
        """Ask the same with a legacy token."""
        signer = oauth1.Client(
            self.known["consumer_key"],
            client_secret=self.known["consumer_secret"],
            resource_owner_key=row["oauth_token"],
            resource_owner_secret=row["oauth_token_secret"],
        )
        uri, headers, _ = signer.sign(f"{self.base_url}/2/users/me")
        return self.session.get(uri, headers=headers)

    def _post(self, path: str, fields: Mapping[str, str | None], **further: Any) -> requests.Response:
        form = {name: value for name, value in fields.items() if value is not None}
        return self.call("POST", path, data=form, **further)


def error(answer: requests.Response) -> tuple[int, str]:
    """Status and word of a refusal, which says a sentence besides."""
    body = answer.json()
    assert body.keys() == {"error", "error_description"}
    return answer.status_code, body["error"]
