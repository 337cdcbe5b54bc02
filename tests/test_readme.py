"""The README tells the truth: every command and option stands in it, with the very text of ``--help``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from migrator.cli import cli
from migrator.errors import ExitCode

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
START = "<!-- help: made by 'make readme' -->"
END = "<!-- /help -->"


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
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


def renew() -> None:
    """Put the present help texts into the README."""
    text = README.read_text("utf-8")
    README.write_text(text[: text.index(START)] + help_blocks() + text[text.index(END) + len(END) :], "utf-8")


if __name__ == "__main__":
    renew()
