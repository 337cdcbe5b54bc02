"""X's legacy tokens, out and in, and what its clients must set."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from pathlib import Path

import pytest

from migrator.errors import ConfigurationError
from migrator.sandbox import MixError, SandboxError, adopt_tokens, credentials, issue_tokens, running, stats
from tests.sandbox.support import digest
from tests.sandbox.test_command import invoke
from tests.sandbox.x.support import XClient

COLUMNS = ["connection_id", "organisation", "contact_email", "oauth_token", "oauth_token_secret"]


def test_tokens_look_like_those_of_x(state: Path) -> None:
    rows = list(issue_tokens(state, 50, seed=1))
    assert all(re.fullmatch(r"[0-9]{19}-[A-Za-z0-9]{40}", row["oauth_token"]) for row in rows)
    assert all(re.fullmatch(r"[A-Za-z0-9]{45}", row["oauth_token_secret"]) for row in rows)
    assert [*rows[0]] == COLUMNS
    assert len({row["contact_email"] for row in rows}) == 50
    facts = stats(state)
    assert facts["provider"] == "x"
    assert facts["issued"] == {"token": 50}
    entries = facts["tokens"]
    assert [entry["user_id"] for entry in entries] == [row["oauth_token"].partition("-")[0] for row in rows]
    assert [entry["oauth_tokens_sha256"] for entry in entries] == [[digest(r["oauth_token"])] for r in rows]
    assert {(entry["app_type"], entry["tenant_id"] == entry["user_id"]) for entry in entries} == {
        (None, True)
    }


@pytest.mark.parametrize(
    ("choice", "option"),
    [
        ({"mix": "partner=1"}, "--mix"),
        ({"expired": 0.5}, "--expired"),
        ({"expired": 0.0}, "--expired"),
        ({"organisations_per_user": 2}, "--organisations-per-user"),
    ],
)
def test_what_x_does_not_have_is_refused(state: Path, choice: dict[str, object], option: str) -> None:
    with pytest.raises(MixError, match=f"x has no .*{option}"):
        next(issue_tokens(state, 1, **choice))  # type: ignore[arg-type]


def test_adopted_tokens_name_their_users(state: Path) -> None:
    rows = [
        {"oauth_token": "7-a", "oauth_token_secret": "s", "contact_email": "a@example.com"},
        {"oauth_token": "8-b", "oauth_token_secret": "s", "contact_email": "a@example.com"},
        {"oauth_token": "nobody", "oauth_token_secret": "s", "contact_email": "a@example.com"},
        {"oauth_token": "9-c", "oauth_token_secret": ""},
        {"oauth_token": "", "oauth_token_secret": "s"},
        {"oauth_token": "7-a", "oauth_token_secret": "again"},
    ]
    assert adopt_tokens(state, rows) == 3
    users = [entry["user_id"] for entry in stats(state)["tokens"]]
    assert users == ["7", "8"]  # and whoever has the address is the first


def test_the_command_writes_what_a_client_needs(tmp_path: Path) -> None:
    state, folder = tmp_path / "s.db", tmp_path / "job"
    folder.mkdir()
    result = invoke(
        *("tokens", "--provider", "x", "--count", 3, "--state", state, "-o", folder / "tokens.csv"),
        *("--base-url", "http://h:1"),
    )
    assert "3 tokens written" in result.stderr
    with (folder / "tokens.csv").open(encoding="utf-8", newline="") as file:
        assert [*next(csv.DictReader(file))] == COLUMNS
    known = credentials(state)
    assert tomllib.loads((folder / "migrator.toml").read_text()) == {
        "provider": "x",
        "base_url": "http://h:1",
        "oauth2": {"client_id": known["client_id"], "client_secret_file": "client_secret"},
        "job": {"concurrency": 32, "max_attempts": 5},
    }
    assert (folder / "client_secret").read_text() == known["client_secret"]
    assert {path.name for path in folder.iterdir()} == {"tokens.csv", "migrator.toml", "client_secret"}
    again = invoke(
        "tokens", "--adopt", folder / "tokens.csv", "--state", tmp_path / "t.db", "--provider", "x"
    )
    assert "3 tokens adopted" in again.stderr
    assert "3 token" in invoke("stats", "--state", state).stdout


def test_credentials_are_those_that_x_has(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    result = invoke("credentials", "--json", "--provider", "x", "--state", path)
    known = json.loads(result.stdout)
    assert known == credentials(path) == credentials(path, "x")
    assert known.keys() == {
        "consumer_key",
        "consumer_secret",
        "client_id",
        "client_secret",
        "public_client_id",
        "redirect_uris",
    }
    assert {p.name for p in tmp_path.iterdir()} == {"sandbox.db"}


def test_a_state_is_of_one_provider(client: XClient, state: Path, tmp_path: Path) -> None:
    assert client.stats()["provider"] == "x"  # which was not said again
    with pytest.raises(SandboxError, match="plays x, not xero"), running(state, provider="xero"):
        pass
    with pytest.raises(SandboxError, match="plays x, not xero"):
        adopt_tokens(state, [], "xero")
    with pytest.raises(ConfigurationError, match="plays x, not xero"):
        invoke("tokens", "--provider", "xero", "--state", state, "-o", tmp_path / "t.csv")
    with pytest.raises(ConfigurationError, match="cannot play 'y'; it knows"):
        invoke("credentials", "--provider", "y", "--state", tmp_path / "y.db")
    assert not (tmp_path / "y.db").exists()


def test_a_new_state_is_of_the_provider_that_is_served(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with running(path, provider="x") as sandbox:
        assert sandbox.stats()["provider"] == "x"
    with running(path) as sandbox:
        assert sandbox.stats()["issued"] == {"token": 0}
    with running(tmp_path / "other.db") as sandbox:
        assert sandbox.stats()["provider"] == "xero"
