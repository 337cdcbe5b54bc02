"""The README tells the truth: every command and option stands in it, with the very text of ``--help``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from migrator.cli import cli
from migrator.commands.make_engine import JOB_CALLS, needs_of
from migrator.commands.profiles import profile_of
from migrator.errors import ConfigurationError, ExitCode
from migrator.models import Credentials
from migrator.providers import find_profile, profile_names
from migrator.rules.exchange_window import closed_since
from migrator.settings.configuration import load
from migrator.settings.credentials import read_credentials

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
START = "<!-- help: made by 'make readme' -->"
END = "<!-- /help -->"


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield (*path, name)
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


def help_of(path: tuple[str, ...]) -> str:
    """What ``migrator … --help`` prints on a terminal of 100 columns."""
    result = CliRunner().invoke(cli, [*path, "--help"], prog_name="migrator", terminal_width=100)
    assert result.exit_code == 0
    return "\n".join(line.rstrip() for line in result.output.strip().splitlines())


def help_blocks() -> str:
    blocks = [f"```\n{help_of(())}\n```"]
    blocks += [f"### migrator {' '.join(path)}\n\n```\n{help_of(path)}\n```" for path in commands(cli)]
    return "\n\n".join([START, *blocks, END])


def test_the_readme_shows_the_help_of_every_command() -> None:
    text = README.read_text("utf-8")
    assert START in text
    assert text[text.index(START) : text.index(END) + len(END)] == help_blocks(), "run 'make readme'"


def test_the_readme_names_every_exit_code() -> None:
    rows = re.findall(r"^\| (\d+) \|", README.read_text("utf-8"), re.MULTILINE)
    assert {int(row) for row in rows} == {int(code) for code in ExitCode}


def test_every_file_that_the_readme_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text("utf-8")):
        assert (ROOT / target).exists(), target


def test_every_heading_that_the_readme_leads_to_is_there() -> None:
    text = README.read_text("utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


def settings_shown() -> list[str]:
    """The settings that the README shows for the providers that ship, with values in the place of dots."""
    numbers = count(1)
    blocks = re.findall(r"^```toml\n(provider = \"[a-z]+\"\n.*?)^```", README.read_text("utf-8"), re.M | re.S)
    return [re.sub("…", lambda _: str(next(numbers)), block) for block in blocks]


def credentials_of(text: str, folder: Path) -> Credentials:
    (folder / "migrator.toml").write_text(text, "utf-8")
    settings = load(folder / "migrator.toml", required=True)
    names = ("CONSUMER_SECRET", "CLIENT_SECRET", "CONSUMER_SECRET_NZ", "CLIENT_SECRET_NZ")
    environ = {f"MIGRATOR_{name}": name for name in names}
    return read_credentials(settings, needs_of(profile_of(settings), JOB_CALLS), environ)


@pytest.fixture(scope="module")
def private_key() -> bytes:
    key = generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("text", settings_shown(), ids=lambda text: text.split('"')[1])
def test_the_settings_shown_are_enough_for_the_calls(tmp_path: Path, private_key: bytes, text: str) -> None:
    (tmp_path / "privatekey.pem").write_bytes(private_key)
    (tmp_path / "privatekey.pem").chmod(0o600)
    assert credentials_of(text, tmp_path).client_id
    without = re.sub(r'^(?:consumer_key|client_id) = "\d+".*\n', "", text, count=1, flags=re.M)
    with pytest.raises(ConfigurationError, match=r"(?:consumer_key|client_id)"):
        credentials_of(without, tmp_path)


def test_the_readme_shows_settings_for_each_open_provider() -> None:
    shown = {text.split('"')[1] for text in settings_shown()}
    today = datetime.now(tz=UTC)
    assert {name for name in profile_names() if closed_since(find_profile(name), today) is None} <= shown


def test_the_readme_tells_of_every_provider() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \| (open|closed)\b", README.read_text("utf-8"), re.M)
    now = datetime.now(tz=UTC)
    said = {name: "closed" if closed_since(find_profile(name), now) else "open" for name in profile_names()}
    assert dict(rows) == said


def renew() -> None:
    """Put the present help texts into the README."""
    text = README.read_text("utf-8")
    README.write_text(text[: text.index(START)] + help_blocks() + text[text.index(END) + len(END) :], "utf-8")


if __name__ == "__main__":
    renew()
