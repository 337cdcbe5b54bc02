"""Garmin's legacy tokens, and what its clients must set."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from migrator.sandbox import MixError, adopt_tokens, credentials, issue_tokens, stats
from tests.sandbox.garmin.support import GarminClient
from tests.sandbox.test_command import invoke, rows_of


def test_tokens_do_not_name_their_users(state: Path) -> None:
    rows = list(issue_tokens(state, 20))
    assert all(re.fullmatch(r"[0-9a-f-]{36}", row["oauth_token"]) for row in rows)
    facts = stats(state)
    assert (facts["provider"], facts["issued"]) == ("garmin", {"token": 20})
    for row, entry in zip(rows, facts["tokens"], strict=True):
        assert re.fullmatch(r"[0-9a-f]{32}", entry["user_id"])
        assert entry["user_id"] not in row.values()


def test_garmin_has_no_application_types(state: Path) -> None:
    with pytest.raises(MixError, match=r"garmin has no .*--mix"):
        next(issue_tokens(state, 1, "partner=1"))


def test_adopted_tokens_are_exchanged(client: GarminClient, state: Path) -> None:
    row = {"oauth_token": "t", "oauth_token_secret": "s", "contact_email": "a@example.com"}
    assert adopt_tokens(state, [row]) == 1
    assert client.exchange(row).status_code == 200


def test_the_command_writes_what_a_client_needs(tmp_path: Path) -> None:
    state, folder = tmp_path / "s.db", tmp_path / "job"
    folder.mkdir()
    invoke(
        *("tokens", "--provider", "garmin", "--count", 3, "--state", state, "-o", folder / "tokens.csv"),
        *("--base-url", "http://h:1"),
    )
    known = credentials(state)
    assert tomllib.loads((folder / "migrator.toml").read_text()) == {
        "provider": "garmin",
        "base_url": "http://h:1",
        "oauth1": {"consumer_key": known["consumer_key"], "consumer_secret_file": "consumer_secret"},
        "oauth2": {"client_secret_file": "client_secret", "redirect_uri": known["redirect_uris"][0]},
        "job": {"concurrency": 32, "max_attempts": 5},
    }
    assert (folder / "consumer_secret").read_text() == known["consumer_secret"]
    assert (folder / "client_secret").read_text() == known["client_secret"]
    assert len(rows_of(folder / "tokens.csv")) == 3
