"""``migrator`` as it was before it could read what providers make of a pair: run as a process of its own."""

from __future__ import annotations

import sys

from migrator import cli
from migrator.providers import token_response


def understand_nothing(*_: object, **__: object) -> None:
    """Take whatever came for no pair."""


def main() -> None:
    """Run the command line."""
    token_response.read = token_response.salvaged = understand_nothing
    sys.argv[0] = "migrator"
    cli.main()


if __name__ == "__main__":
    main()
