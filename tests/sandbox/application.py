"""An application that talks to a sandbox, whichever provider that plays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

Row = Mapping[str, str]


@dataclass(frozen=True)
class Application:
    """An application that talks to one running sandbox."""

    base_url: str
    known: Mapping[str, Any]
    session: requests.Session

    @property
    def basic(self) -> tuple[str, str]:
        """The confidential client's id and secret."""
        return self.known["client_id"], self.known["client_secret"]

    def call(self, method: str, path: str, *, bearer: str = "", **further: Any) -> requests.Response:
        """Send a call, with an access token if one is given."""
        headers = {**further.pop("headers", {})}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        return self.session.request(method, self.base_url + path, headers=headers, **further)

    def stats(self) -> dict[str, Any]:
        """What the witness says."""
        facts: dict[str, Any] = self.call("GET", "/_sandbox/stats").json()
        return facts

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock on."""
        self.call("POST", "/_sandbox/clock", json={"advance_seconds": seconds}).raise_for_status()
