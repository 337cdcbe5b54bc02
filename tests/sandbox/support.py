"""A client of the sandbox that plays Xero, for tests; and what the tests of all of them read answers with."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode

import requests

from tests.sandbox.application import Row
from tests.sandbox.signing import Signing

Pair = dict[str, str]

SCOPE = "offline_access accounting.transactions"


class Client(Signing):
    """An application that talks to one running sandbox of Xero."""

    def swap(self, row: Row, body: Mapping[str, object] | None = None, **changes: Any) -> requests.Response:
        """Swap the row's token; ``body`` overrides fields of the JSON body."""
        wanted = {
            "scope": SCOPE,
            "client_id": self.known["client_id"],
            "client_secret": self.known["client_secret"],
        }
        path = changes.pop("path", f"/oauth/migrate?tenantType={row['tenant_type']}")
        return self.send(row, "POST", path, json_body={**wanted, **(body or {})}, **changes)

    def renew(self, row: Row, **changes: Any) -> requests.Response:
        """Renew the row's token with its handle in the query."""
        query = urlencode({"oauth_session_handle": row["oauth_session_handle"]})
        return self.send(row, "POST", f"/oauth/AccessToken?{query}", **changes)

    def refresh(self, refresh_token: str, fields: Mapping[str, str] | None = None) -> requests.Response:
        """Use a refresh token, with Basic client authentication; ``fields`` override the form."""
        return self.session.post(
            f"{self.base_url}/connect/token",
            data={"grant_type": "refresh_token", "refresh_token": refresh_token, **(fields or {})},
            auth=(self.known["client_id"], self.known["client_secret"]),
        )

    def connections(self, access_token: str) -> requests.Response:
        """Ask which tenants an access token reaches."""
        return self.session.get(
            f"{self.base_url}/connections", headers={"Authorization": f"Bearer {access_token}"}
        )

    def disconnect(self, access_token: str, oauth2_id: str) -> requests.Response:
        """Disconnect the tenant of an id of ``connections``."""
        return self.session.delete(
            f"{self.base_url}/connections/{oauth2_id}", headers={"Authorization": f"Bearer {access_token}"}
        )

    def organisation(self, access_token: str, tenant_id: str) -> requests.Response:
        """Ask what an organisation is."""
        return self.session.get(
            f"{self.base_url}/api.xro/2.0/Organisation",
            headers={"Authorization": f"Bearer {access_token}", "xero-tenant-id": tenant_id},
        )

    def organisation_signed(self, row: Row, **changes: Any) -> requests.Response:
        """Ask, with a legacy token, which organisation it is for."""
        return self.send(row, "GET", "/api.xro/2.0/Organisation", **changes)

    def revoke(self, token: str, fields: Mapping[str, str] | None = None) -> requests.Response:
        """Revoke a token, with Basic client authentication; ``fields`` override the form."""
        return self.session.post(
            f"{self.base_url}/connect/revocation",
            data={"token": token, **(fields or {})},
            auth=(self.known["client_id"], self.known["client_secret"]),
        )

    def tenants(self, access_token: str) -> list[str]:
        """Ids of the tenants that an access token reaches, in order."""
        answer = self.connections(access_token)
        assert answer.status_code == 200, answer.text
        return [connection["tenantId"] for connection in answer.json()]


def renewed(row: Row, answer: requests.Response) -> dict[str, str]:
    """The row with the token that a renewal answered."""
    assert answer.status_code == 200, answer.text
    return {**row, **{name: value for name, value in parse_qsl(answer.text) if name in row}}


def digest(token: str) -> str:
    """How the witness names a token."""
    return sha256(token.encode()).hexdigest()


def problem(answer: requests.Response) -> str:
    """The problem word of a form-encoded refusal; fails on any other answer."""
    assert not answer.headers["Content-Type"].startswith("application/json")
    fields = dict(parse_qsl(answer.text, strict_parsing=True))
    assert fields.keys() == {"oauth_problem", "oauth_problem_advice"}
    return fields["oauth_problem"]


def at(seconds_from_now: float) -> str:
    """An ``oauth_timestamp``."""
    return str(int(time.time() + seconds_from_now))


def in_threads(*works: Any) -> None:
    """Run callables at the same time and wait for all."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
