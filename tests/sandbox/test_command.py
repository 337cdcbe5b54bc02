"""``migrator sandbox …``: what the commands print, write and refuse."""

from __future__ import annotations

import csv
import json
import socket
import stat
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from migrator.commands.sandbox import sandbox
from migrator.errors import ConfigurationError, OutputError
from migrator.sandbox import credentials, stats
from tests.sandbox.support import Client


def invoke(*arguments: object) -> Result:
    """Run the group; what it raises is raised."""
    return CliRunner().invoke(sandbox, [str(argument) for argument in arguments], catch_exceptions=False)


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_tokens_are_written_with_settings_that_match(state: Path, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    result = invoke(
        "tokens", "--count", 40, "--state", state, "-o", folder / "tokens.csv", "--base-url", "http://h:1"
    )
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "40 tokens (32 partner, 2 private, 6 public)" in result.stderr
    assert len(rows_of(folder / "tokens.csv")) == 40
    known = credentials(state)
    settings = tomllib.loads((folder / "migrator.toml").read_text())
    assert settings == {
        "provider": "xero",
        "base_url": "http://h:1",
        "oauth1": {
            "consumer_key": known["consumer_key"],
            "consumer_secret_file": "consumer_secret",
            "signature_method": "HMAC-SHA1",
        },
        "oauth2": {
            "client_id": known["client_id"],
            "client_secret_file": "client_secret",
            "scopes": ["offline_access", "accounting.transactions"],
            "redirect_uri": known["redirect_uris"][0],
            "certified": True,
        },
        "job": {"concurrency": 32, "rate_per_minute": 10000, "max_attempts": 5},
    }
    assert (folder / "consumer_secret").read_text() == known["consumer_secret"]
    assert (folder / "client_secret").read_text() == known["client_secret"]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == dict.fromkeys(["tokens.csv", "migrator.toml", "consumer_secret", "client_secret"], 0o600)


def test_written_tokens_work(client: Client, state: Path, tmp_path: Path) -> None:
    invoke(
        "tokens",
        "--count",
        3,
        "--mix",
        "partner=1",
        "--expired",
        0,
        "--state",
        state,
        "-o",
        tmp_path / "t.csv",
    )
    assert {client.swap(row).status_code for row in rows_of(tmp_path / "t.csv")} == {200}


def test_users_get_as_many_organisations_as_ordered(state: Path, tmp_path: Path) -> None:
    invoke("tokens", "--count", 6, "--organisations-per-user", 3, "--state", state, "-o", tmp_path / "t.csv")
    assert [*Counter(entry["user_id"] for entry in stats(state)["tokens"]).values()] == [3, 3]


@pytest.mark.parametrize("name", ["migrator.toml", "consumer_secret", "client_secret"])
def test_the_files_of_a_real_application_are_left_alone(state: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a real application's")
    for _ in range(2):
        result = invoke("tokens", "--count", 1, "--state", state, "-o", tmp_path / "tokens.csv")
        assert "migrator.sandbox.toml" in result.stderr
        assert "left as they are" in result.stderr
    assert (tmp_path / name).read_text() == "a real application's"
    settings = tomllib.loads((tmp_path / "migrator.sandbox.toml").read_text())
    secret = tmp_path / settings["oauth2"]["client_secret_file"]
    assert secret.read_text() == credentials(state)["client_secret"]
    usual = {"migrator.toml", "consumer_secret", "client_secret"}
    assert {path.name for path in tmp_path.iterdir()} & usual == {name}


def test_the_same_settings_are_written_again(state: Path, tmp_path: Path) -> None:
    for _ in range(2):
        result = invoke("tokens", "--count", 1, "--state", state, "-o", tmp_path / "tokens.csv")
        assert "sandbox.toml" not in result.stderr
    assert not (tmp_path / "migrator.sandbox.toml").exists()


def test_a_failed_write_leaves_what_was_there(state: Path, tmp_path: Path) -> None:
    before = tmp_path / "tokens.csv"
    before.write_text("before")
    with pytest.raises(ConfigurationError, match="mix"):
        invoke("tokens", "--mix", "nobody=1", "--state", state, "-o", before)
    assert before.read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} == {"tokens.csv", state.name}


def test_tokens_are_adopted(client: Client, state: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    legacy, known = tmp_path / "legacy.csv", tmp_path / "known.csv"
    invoke("tokens", "--count", 5, "--mix", "partner=1", "--expired", 0, "--state", other, "-o", legacy)
    legacy.write_text(f"\ufeff{legacy.read_text()},partner\n", encoding="utf-8")
    result = invoke("tokens", "--adopt", legacy, "--state", state)
    assert "5 tokens adopted" in result.stderr
    assert {
        client.swap(row).status_code for row in rows_of(tmp_path / "legacy.csv") if row["oauth_token"]
    } == {200}
    assert "0 tokens" in invoke("tokens", "--adopt", legacy, "--state", state, "-o", known).stderr
    assert rows_of(known) == []


def test_what_cannot_be_adopted_is_said(state: Path, tmp_path: Path) -> None:
    for content in (b"a,b\n1,2\n", b"oauth_token\n\xff\n", b""):
        (tmp_path / "bad.csv").write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"bad\.csv"):
            invoke("tokens", "--adopt", tmp_path / "bad.csv", "--state", state)


def test_tokens_need_a_file_or_something_to_adopt(state: Path) -> None:
    result = invoke("tokens", "--state", state)
    assert result.exit_code == 2
    assert "-o" in result.stderr


def test_a_folder_that_is_not_there_is_an_output_error(state: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        invoke("tokens", "--state", state, "-o", tmp_path / "missing" / "tokens.csv")


def test_credentials(state: Path) -> None:
    assert json.loads(invoke("credentials", "--json", "--state", state).stdout) == credentials(state)
    lines = invoke("credentials", "--state", state).stdout.splitlines()
    assert dict(line.split(maxsplit=1) for line in lines)["client_id"] == credentials(state)["client_id"]


def test_stats(state: Path, tmp_path: Path) -> None:
    invoke("tokens", "--count", 20, "--state", state, "-o", tmp_path / "tokens.csv")
    assert json.loads(invoke("stats", "--json", "--state", state).stdout) == stats(state)
    table = invoke("stats", "--state", state).stdout
    assert "16 partner, 3 public, 1 private" in table
    for label in ("swaps", "renewals", "refreshes", "pairs that work", "pairs that died", "faults injected"):
        assert label in table


def test_stats_of_a_missing_state_are_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no sandbox state"):
        invoke("stats", "--state", tmp_path / "missing.db")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--provider", "nobody"], "nobody"),
        (["--fault", "gravity=1"], "gravity"),
        (["--redirect-uri", "nowhere"], "nowhere"),
        (["--host", "192.0.2.1"], "cannot listen"),
    ],
)
def test_what_cannot_be_served_is_said(state: Path, arguments: list[str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        invoke("serve", "--port", 0, "--state", state, *arguments)


def test_a_port_in_use_is_said(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port}.*--port"):
            invoke("serve", "--port", port, "--state", state)


@pytest.mark.parametrize("package", ["flask", "jwt"])
def test_without_the_extra_it_says_which_to_install(tmp_path: Path, package: str) -> None:
    code = f"""
import sys
sys.modules[{package!r}] = None
from migrator.commands.sandbox import sandbox
from migrator.errors import ConfigurationError
try:
    sandbox(["stats", "--state", {str(tmp_path / "s.db")!r}], standalone_mode=False)
except ConfigurationError as error:
    print(error.message, "|", error.hint)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == (
        f"the sandbox needs packages that are not installed: {package} is missing"
        " | pip install 'oauth-migrator[web]'\n"
    )
