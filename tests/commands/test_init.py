"""The commented configuration: right as it stands, and for each provider that it names."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from migrator.cli import cli
from migrator.commands.init import TEMPLATE
from migrator.providers.profile_file.built_in import built_in_names
from migrator.settings.configuration import load


@pytest.mark.parametrize("name", built_in_names())
def test_what_it_writes_serves_every_provider(tmp_path: Path, name: str) -> None:
    path = tmp_path / "migrator.toml"
    made = CliRunner().invoke(cli, ["--config", str(path), "init"])
    assert made.exit_code == 0, made.output
    text = path.read_text("utf-8")
    assert name in text.split("base_url")[0], "it says what there is"
    path.write_text(text.replace('provider = "xero"', f'provider = "{name}"'), "utf-8")
    loaded = load(path, required=True)
    assert loaded.provider == name
    assert loaded.oauth2.scopes == (), "those of one provider are asked of no other unawares"
    tokens = tmp_path / "tokens.csv"
    tokens.write_text("connection_id,app_type,oauth_token,oauth_token_secret\n1,partner,7-a,b\n", "utf-8")
    planned = CliRunner().invoke(cli, ["--config", str(path), "run", str(tokens), "--dry-run"])
    assert planned.exit_code == 0, planned.output
    assert "swap" in planned.output


def test_no_line_of_it_is_too_long_to_be_read() -> None:
    assert max(map(len, TEMPLATE.splitlines())) <= 110
