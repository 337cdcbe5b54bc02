"""``migrator providers``: what ships, what one profile says, and whether one of one's own is right."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from migrator.commands.profiles import read_file
from migrator.providers.profile_file import built_in_names, built_in_text
from tests import warm
from tests.providers.profile_file.base import BASE
from tests.support import PATIENCE, Finished


def providers(folder: Path, *arguments: str) -> Finished:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MIGRATOR_")}
    return warm.run(
        "migrator",
        ["providers", *arguments],
        ahead=0.0,
        folder=folder,
        environment=environment,
        stdin=None,
        timeout=PATIENCE,
    )


def test_the_list_has_every_profile_that_ships(tmp_path: Path) -> None:
    finished = providers(tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    rows = {line.split()[0]: line for line in finished.stdout.splitlines()[2:]}
    assert tuple(rows) == built_in_names()
    assert "closed 2021-03-31" in rows["xero"]
    assert "newest wins" in rows["x"]
    assert "2026-12-31" in rows["garmin"]
    assert "never" in rows["tumblr"]
    assert "does not end" in rows["dropbox"]
    assert all(len(line) <= 120 for line in finished.stdout.splitlines())


@pytest.mark.parametrize("name", built_in_names())
def test_all_of_a_profile_is_said(tmp_path: Path, name: str) -> None:
    finished = providers(tmp_path, name)
    assert (finished.returncode, finished.stderr) == (0, "")
    for topic in ("Dates", "Tokens", "Calls", "Limits", "Not known", "Sources"):
        assert f"\n{topic}\n" in finished.stdout
    assert "read on 2026-11-2" in " ".join(finished.stdout.split())
    assert all(len(line) <= 110 for line in finished.stdout.splitlines() if "https://" not in line)


@pytest.mark.parametrize("name", built_in_names())
def test_the_file_comes_as_it_stands_and_is_right_as_ones_own(tmp_path: Path, name: str) -> None:
    finished = providers(tmp_path, name, "--toml")
    assert finished.stdout == built_in_text(name)
    (tmp_path / "own.toml").write_text(finished.stdout, "utf-8")
    checked = providers(tmp_path, "check", "own.toml")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "own.toml: no problem found" in checked.stdout
    assert "\nswap: POST https://" in checked.stdout
    own, shipped = providers(tmp_path, "own.toml").stdout, providers(tmp_path, name).stdout
    assert own.partition("\n")[0].endswith('(provider = "own.toml")')
    assert shipped.partition("\n")[0].endswith(f'(provider = "{name}")')
    assert own.partition("\n")[2] == shipped.partition("\n")[2]
    assert providers(tmp_path, "own.toml", "--toml").stdout == finished.stdout


def test_what_would_be_sent_says_invented_tokens_alone(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(BASE)
    finished = providers(tmp_path, "check", "acme.toml")
    assert finished.stdout.splitlines()[2:] == [
        "swap: POST https://api.acme.example/exchange",
        "  Authorization  Basic CLIENT_ID:CLIENT_SECRET",
        "  form           token = TOKEN",
        "  form           secret = TOKEN_SECRET",
        "  form           region = eu",
        "",
        "verify: GET https://api.acme.example/me",
        "  Authorization  Bearer ACCESS_TOKEN",
        "  body           none",
        "",
        "refresh: POST https://api.acme.example/token",
        "  Authorization  Basic CLIENT_ID:CLIENT_SECRET",
        "  form           grant_type = refresh_token",
        "  form           refresh_token = REFRESH_TOKEN",
    ]


def test_all_that_is_wrong_is_said_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(BASE.replace('auth = "bearer"', 'auth = "beare"').replace("100", "0"))
    finished = providers(tmp_path, "check", "acme.toml")
    assert finished.returncode == 2
    assert finished.stderr == "2 problems\n"
    lines = finished.stdout.splitlines()
    assert lines[0].startswith("acme.toml:20: verify.auth must be one of oauth1, client, bearer")
    assert lines[0].endswith("; did you mean bearer?")
    assert lines[1].startswith("acme.toml:39: limits[1].count must be ")
    assert len(lines) == 2


def test_a_profile_that_is_wrong_cannot_be_shown(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text("name = 3\n")
    finished = providers(tmp_path, "acme.toml")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "error: acme.toml, line 1: " in finished.stderr
    assert "'migrator providers check acme.toml' lists all of them" in finished.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gramin"], "did you mean garmin?"),
        (["nothing-like-it"], "dropbox, garmin, intuit, tumblr, vimeo, x, xero"),
        (["none.toml"], "the profile none.toml cannot be read"),
        (["check", "none.toml"], "the profile none.toml cannot be read"),
        (["check", "."], "cannot be read"),
        (["check"], "Missing argument 'FILE'"),
        (["show"], "Missing argument 'NAME'"),
        (["x", "y"], "unexpected extra argument"),
        (["latin.toml"], "it is not UTF-8 text"),
    ],
)
def test_what_cannot_be_is_told_with_what_to_do(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    finished = providers(tmp_path, *arguments)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert said in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_profile_cannot_command_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(BASE.replace('title = "Acme"', 'title = "A\\u001b[31m"', 1))
    assert "\x1b" not in providers(tmp_path, "acme.toml").stdout
    assert "\x1b" not in providers(tmp_path, "check", "acme.toml").stdout


def test_the_word_show_may_be_said(tmp_path: Path) -> None:
    assert providers(tmp_path, "show", "x").stdout == providers(tmp_path, "x").stdout


def test_a_profile_of_ones_own_is_checked_once_as_long_as_it_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(BASE)
    first = read_file(path)
    assert read_file(path) is first
    path.write_text(BASE.replace('title = "Acme"', 'title = "Acme Limited"', 1))
    assert read_file(path).title == "Acme Limited"
