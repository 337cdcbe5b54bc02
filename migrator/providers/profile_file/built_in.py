"""The profiles that ship: each read once in a process."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from migrator.providers.facts import Facts
from migrator.providers.profile_file.reading import read_shipped

_ENDING = ".toml"
_FOLDER = files("migrator.providers") / "profiles"


@cache
def built_in_names() -> tuple[str, ...]:
    """The names of the profiles that ship, in alphabetical order."""
    entries = (entry.name for entry in _FOLDER.iterdir())
    return tuple(sorted(name.removesuffix(_ENDING) for name in entries if name.endswith(_ENDING)))


def built_in_text(name: str) -> str:
    """The file of a profile that ships. Raises ``KeyError`` for a name that none has."""
    if name not in built_in_names():
        raise KeyError(name)
    return (_FOLDER / f"{name}{_ENDING}").read_text("utf-8")


@cache
def built_in(name: str) -> Facts:
    """A profile that ships. Raises ``KeyError`` for a name that none has."""
    return read_shipped(built_in_text(name))
