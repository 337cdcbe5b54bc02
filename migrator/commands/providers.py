"""``migrator providers``: the profiles that ship and what each says; whether one of one's own is right."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrator.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.providers.describing import Topic
    from migrator.providers.facts import Facts

_ENDING = ".toml"
_WIDEST = 110


class _Profiles(click.Group):
    """A word that is no command's is the name of a profile to show."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["show", *args])


@click.group(cls=_Profiles, invoke_without_command=True, subcommand_metavar="[NAME [--toml] | COMMAND ...]")
@click.pass_context
def providers(context: click.Context) -> None:
    """List the providers whose profiles ship, or say all that the profile NAME says.

    NAME may also be a file of your own, which ends in .toml. With --toml you get the file itself, to copy and
    change.
    """
    if context.invoked_subcommand is None:
        _list()


@providers.command()
@click.argument("name")
@click.option("--toml", "as_toml", is_flag=True, help="The file as it stands, to copy and change.")
def show(name: str, as_toml: bool) -> None:
    """Say all that a profile says, and what nobody knows; 'show' may be left out."""
    from migrator.commands.profiles import read_text
    from migrator.providers import find_profile
    from migrator.providers.profile_file import built_in_text, read_profile

    if name.endswith(_ENDING):
        text = read_text(Path(name))
        facts = None if as_toml else read_profile(text, name)
    else:
        facts = find_profile(name).facts
        text = built_in_text(name)
    if facts is None or as_toml:
        click.echo(text, nl=False)
    else:
        _tell(facts, name)


@providers.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> int:
    """Say all that is wrong with a profile of your own, line by line.

    If nothing is, say what would be sent for a token: in capitals stands what is invented.
    """
    from migrator.commands.profiles import read_file
    from migrator.providers import Profile, describing
    from migrator.providers.profile_file import ProfileError
    from migrator.terminal.printable import printable
    from migrator.wording import counted

    try:
        facts = read_file(file)
    except ProfileError as error:
        for problem in error.problems:
            click.echo(printable(f"{file}:{problem.line}: {problem.sentence}; {problem.todo}"))
        click.echo(counted(len(error.problems), "problem"), err=True)
        return ExitCode.USAGE
    click.echo(printable(f"{file}: no problem found. What would be sent, with invented tokens:") + "\n")
    _print(describing.sent_topics(Profile(facts)))
    return ExitCode.DONE


def _list() -> None:
    from migrator.models import utc_now
    from migrator.providers import describing
    from migrator.providers.profile_file import built_in, built_in_names
    from migrator.terminal.tables import table

    today = utc_now().date()
    rows = [
        (
            facts.name,
            facts.title,
            describing.exchange_text(facts, today),
            str(facts.legacy_ends.day) if facts.legacy_ends is not None else "no day known",
            describing.second_swap(facts),
            describing.access_life(facts),
            describing.refresh_life(facts),
        )
        for facts in map(built_in, built_in_names())
    ]
    headers = (
        "name",
        "provider",
        "exchange",
        "1.0a ends",
        "second swap",
        "access token",
        "refresh token",
    )
    click.echo(table(headers, rows))


def _tell(facts: Facts, provider: str) -> None:
    """All that a profile says, under what ``migrator.toml`` calls it: a name that ships, or a file."""
    from migrator.models import utc_now
    from migrator.providers import describing
    from migrator.terminal.printable import printable

    click.echo(printable(f'{facts.title} (provider = "{provider}")') + "\n")
    _print(describing.topics(facts, utc_now().date()))


def _print(told: Sequence[Topic]) -> None:
    from migrator.terminal.topics import topics_text

    width = min(shutil.get_terminal_size((_WIDEST, 0)).columns, _WIDEST)
    click.echo(topics_text([(topic.title, topic.lines) for topic in told], width))
