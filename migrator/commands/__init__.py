"""One file a command: parse, wire up, call, print. Adding a command is one file and one line here.

A process runs one command, and often only shows its help, tells a usage error or completes a word. So each
command's module is imported when it is asked for, and only declares: at its top it imports click, ``options``
and what is as light. What does the work stands at the beginning of the function that uses it, below the
checks of usage; what is needed for types alone, under ``TYPE_CHECKING``. Of the modules that commands share,
``options`` declares; ``job_terms``, ``make_engine``, ``resume_hint`` and ``demo_steps`` work, and are
imported as work is.

``tests/commands/test_start_up.py`` holds the list of what may be imported before a command is called.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click

NAMES = (
    "init", "run", "resume", "status", "report", "verify", "refresh", "export", "deliver", "purge",
    "revoke", "reconsent", "ledger", "sandbox", "providers", "demo",
)  # fmt: skip
"""In the order of a migration, which is that of ``--help``. Each is a module here, and the command in it."""

VARIABLES = "MIGRATOR"
"""What the environment variable of each option begins with."""


class Commands(MutableMapping[str, click.Command]):
    """The commands by name, each imported when it is first asked for."""

    def __init__(self) -> None:
        self._commands: dict[str, click.Command | None] = dict.fromkeys(NAMES)

    def __getitem__(self, name: str) -> click.Command:
        command = self._commands[name]
        if command is None:
            command = getattr(import_module(f"{__name__}.{name}"), name)
            name_variables(command, f"{VARIABLES}_{name.upper()}")
            self._commands[name] = command
        return command

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._commands[name] = command

    def __delitem__(self, name: str) -> None:
        del self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)


def name_variables(command: click.Command, prefix: str) -> None:
    """Give each option its environment variable, named as the option is, and let help show it."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.expose_value:
            option = max(parameter.opts, key=len).lstrip("-").upper().replace("-", "_")
            parameter.envvar = f"{prefix}_{option}"
            parameter.show_envvar = True
    if isinstance(command, click.Group) and not isinstance(command.commands, Commands):
        for name, subcommand in command.commands.items():
            name_variables(subcommand, f"{prefix}_{name.upper()}")
