"""Intuit's refreshes, whose refresh token changes about once a day; and what its own client reads first."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.sandbox import credentials, issue_tokens
from migrator.sandbox.errors import MixError
from migrator.sandbox.issuing.client_files import write_settings
from tests.sandbox.application import Row
from tests.sandbox.intuit.support import DAY, REFRESH, IntuitClient
from tests.sandbox.support import digest


def test_the_refresh_token_stays_for_a_day(client: IntuitClient, row: Row) -> None:
    first = client.migrate(row).json()
    client.advance(DAY - 60)
    second = client.refresh(first["refresh_token"]).json()
    assert second.keys() == first.keys() - {"realmId"}
    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    client.advance(120)
    third = client.refresh(second["refresh_token"]).json()
    assert third["refresh_token"] != first["refresh_token"]
    used = client.refresh(first["refresh_token"])
    assert (used.status_code, used.json()) == (400, {"error": "invalid_grant"})
    assert client.refresh(third["refresh_token"]).json()["refresh_token"] == third["refresh_token"]
    (entry,) = client.stats()["tokens"]
    assert entry["refresh_tokens_sha256"] == [digest(third["refresh_token"])]


def test_it_ends_unused(client: IntuitClient, row: Row) -> None:
    pair = client.migrate(row).json()
    client.advance(pair["x_refresh_token_expires_in"])
    assert client.refresh(pair["refresh_token"]).json() == {"error": "invalid_grant"}


def test_what_is_refused(client: IntuitClient, row: Row) -> None:
    token = client.migrate(row).json()["refresh_token"]
    known = client.known
    for auth in (None, (known["client_id"], "wrong"), (known["consumer_key"], known["consumer_secret"])):
        answer = client.refresh(token, auth=auth)
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert client.refresh("").json() == {"error": "invalid_request"}
    code = client.refresh(token, form={"grant_type": "authorization_code"})
    assert code.json() == {"error": "unsupported_grant_type"}
    assert client.call("POST", REFRESH, json={}, auth=client.basic).status_code == 400
    assert client.refresh(token).status_code == 200


@pytest.mark.parametrize("name", ["openid_configuration", "openid_sandbox_configuration"])
def test_where_everything_is(client: IntuitClient, name: str) -> None:
    document = client.call("GET", f"/.well-known/{name}/", allow_redirects=False).json()
    assert document["token_endpoint"] == client.base_url + REFRESH
    assert document.keys() >= {  # what intuit-oauth asks for
        "authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "issuer",
        "jwks_uri",
        "userinfo_endpoint",
    }


def test_tokens_are_of_every_age(state: Path) -> None:
    rows = list(issue_tokens(state, 40, expired=0.25, seed=3))
    assert len({row["tenant_id"] for row in rows}) == 40
    assert rows[0].keys() >= {"tenant_id", "oauth_expires_at"}
    assert "app_type" not in rows[0]
    assert len({row["oauth_expires_at"][:10] for row in rows}) > 20
    with pytest.raises(MixError, match="between 0 and 1"):
        next(issue_tokens(state, 1, expired=2))
    with pytest.raises(MixError, match="application types"):
        next(issue_tokens(state, 1, "partner=1"))


def test_a_quarter_has_expired(state: Path, client: IntuitClient) -> None:
    rows = list(issue_tokens(state, 8, expired=0.25))
    assert sorted(client.migrate(row).status_code for row in rows) == [200] * 6 + [401] * 2


def test_settings_of_a_client(state: Path, tmp_path: Path) -> None:
    path = write_settings(tmp_path, credentials(state), "http://127.0.0.1:1", "intuit")
    text = path.read_text("utf-8")
    assert 'provider = "intuit"' in text
    assert {file.name for file in tmp_path.iterdir()} >= {"consumer_secret", "client_secret"}
