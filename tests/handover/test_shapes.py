"""How a pair is written: as documented, and as the provider's own SDK takes it."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from requests_oauthlib import OAuth1Session

from migrator.handover.shapes import SHAPES
from migrator.models import Secret, TokenPair
from tests.handover.conftest import Live
from tests.handover.support import Life, csv_rows, json_lines

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
PAIR = TokenPair(
    Secret("access"),
    Secret("refresh"),
    NOON + timedelta(minutes=30),
    "offline_access accounting.transactions",
    "tenant",
    "user",
    NOON + timedelta(days=30),
)
SCOPES = ["offline_access", "accounting.transactions"]

DOCUMENTED: dict[str, dict[str, object]] = {
    "plain": {
        "access_token": "access",
        "refresh_token": "refresh",
        "token_type": "Bearer",
        "scope": "offline_access accounting.transactions",
        "expires_at": "2026-05-04T12:30:00+00:00",
        "refresh_expires_at": "2026-06-03T12:00:00+00:00",
    },
    "xero-python": {
        "token": {
            "access_token": "access",
            "refresh_token": "refresh",
            "scope": SCOPES,
            "expires_in": 1800,
            "expires_at": (NOON + timedelta(minutes=30)).timestamp(),
            "token_type": "Bearer",
        }
    },
    "xero-node": {
        "token": {
            "access_token": "access",
            "refresh_token": "refresh",
            "scope": "offline_access accounting.transactions",
            "expires_at": int((NOON + timedelta(minutes=30)).timestamp()),
            "token_type": "Bearer",
        }
    },
}


def test_every_shape_is_documented_here() -> None:
    assert set(SHAPES) == set(DOCUMENTED)


@pytest.mark.parametrize("shape", sorted(DOCUMENTED))
def test_a_pair_is_written_as_documented(shape: str) -> None:
    assert SHAPES[shape](PAIR, NOON) == DOCUMENTED[shape]
    assert json.loads(json.dumps(SHAPES[shape](PAIR, NOON))) == DOCUMENTED[shape]


def test_an_access_token_that_has_ended_has_no_time_left() -> None:
    token: Any = SHAPES["xero-python"](PAIR, NOON + timedelta(days=1))["token"]
    assert token["expires_in"] == 0
    assert token["expires_at"] == (NOON + timedelta(minutes=30)).timestamp()


@pytest.mark.parametrize("shape", ["xero-node", "xero-python"])
def test_a_token_is_one_json_cell_in_csv(live: Live, shape: str) -> None:
    life = live(3)
    life.done("export", "--shape", shape, "-o", "pairs.csv")
    tokens = life.refresh_tokens()
    for row in csv_rows(life.folder / "pairs.csv"):
        token = json.loads(row["token"])
        assert token["refresh_token"] == tokens[row["tenant_id"]].reveal()
        assert isinstance(token["expires_at"], int | float)
        assert "access_token" not in row


def test_an_unknown_shape_is_wrong_usage(live: Live) -> None:
    life = live(3)
    life.done("export", "--shape", "xero-cobol", "-o", "pairs.jsonl", code=2)
    assert not (life.folder / "pairs.jsonl").exists()


class Sdk:
    """xero-python, with the sandbox in the provider's place."""

    def __init__(self, life: Life, token: dict[str, Any]) -> None:
        client, oauth2 = (
            import_module("xero_python.api_client"),
            import_module("xero_python.api_client.oauth2"),
        )
        configuration = import_module("xero_python.api_client.configuration").Configuration
        self._base = life.sandbox.base_url
        self.token = token
        oauth2.TokenApi.refresh_token_url = f"{self._base}/connect/token"
        application = oauth2.OAuth2Token(life.credentials["client_id"], life.credentials["client_secret"])
        self._client = client.ApiClient(
            configuration(oauth2_token=application),
            oauth2_token_getter=lambda: self.token,
            oauth2_token_saver=self._save,
        )

    def _save(self, token: dict[str, Any]) -> None:
        self.token = token

    def tenants(self) -> list[str]:
        """The tenants that ``/connections`` tells."""
        api = import_module("xero_python.identity").IdentityApi(self._client)
        api.base_url = self._base
        return [connection.tenant_id for connection in api.get_connections()]

    def organisation(self, tenant: str) -> str:
        """The name that ``/api.xro/2.0/Organisation`` tells."""
        api = import_module("xero_python.accounting").AccountingApi(self._client)
        api.base_url = f"{self._base}/api.xro/2.0"
        return str(api.get_organisations(tenant).organisations[0].name)


@pytest.fixture
def handed(live: Live) -> tuple[Life, list[dict[str, Any]]]:
    life = live(4, per_user=2)
    life.done("export", "--shape", "xero-python", "-o", "pairs.jsonl")
    return life, json_lines(life.folder / "pairs.jsonl")


def test_the_real_xero_python_calls_the_provider_with_what_was_handed_to_it(
    handed: tuple[Life, list[dict[str, Any]]],
) -> None:
    life, rows = handed
    for row in rows:
        sdk = Sdk(life, row["token"])
        assert row["tenant_id"] in sdk.tenants()
        assert sdk.organisation(row["tenant_id"]) == row["organisation"]


def test_the_real_xero_python_refreshes_what_was_handed_to_it(
    handed: tuple[Life, list[dict[str, Any]]],
) -> None:
    life, rows = handed
    row = rows[0]
    sdk = Sdk(life, {**row["token"], "expires_at": 0})  # as half an hour later
    assert row["tenant_id"] in sdk.tenants()
    assert sdk.token["refresh_token"] != row["token"]["refresh_token"]
    assert life.works(Secret(sdk.token["refresh_token"]))


def test_the_real_xero_python_does_not_take_the_migration_endpoints_own_answer(live: Live) -> None:
    life = live(3)
    answer = migrated(life, life.folder / "tokens.csv")
    assert answer["expires_in"] == "1800"
    assert "xero_tenant_id" in answer
    with pytest.raises(TypeError):
        Sdk(life, answer).tenants()


def migrated(life: Life, path: Path) -> dict[str, Any]:
    """What ``/oauth/migrate`` itself answers for the first token."""
    with path.open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    session = OAuth1Session(
        life.credentials["consumer_key"],
        life.credentials["consumer_secret"],
        row["oauth_token"],
        row["oauth_token_secret"],
    )
    session.trust_env = False
    with session:
        answer = session.post(
            f"{life.sandbox.base_url}/oauth/migrate?tenantType={row['tenant_type']}",
            json={
                "scope": " ".join(SCOPES),
                "client_id": life.credentials["client_id"],
                "client_secret": life.credentials["client_secret"],
            },
            timeout=10,
        )
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document
