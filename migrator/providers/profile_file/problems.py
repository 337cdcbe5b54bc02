"""What is wrong with a profile's file: where, what, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.errors import ConfigurationError
from migrator.wording import counted

KeyPath = tuple[str | int, ...]
"""Keys from the top of the file down, and places in lists, from 0: ``("limits", 1, "window")``."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. It quotes no value: somebody may have pasted a secret."""

    at: KeyPath
    """Empty: the file as a whole."""
    wrong: str
    """Goes on from the key: ``must be …``, ``is missing``."""
    todo: str
    """What to do about it."""
    line: int = 0
    """Line of the file, from 1; 0 as long as nobody has looked it up."""
    surplus: bool = False
    """Whether it is a key that nobody knows, so that the rest can be read without it."""

    @property
    def key(self) -> str:
        """The key as people write it: ``limits[2].window``, counted from 1."""
        return written(self.at)

    @property
    def sentence(self) -> str:
        """What is wrong, with the key."""
        return f"{self.key} {self.wrong}" if self.at else self.wrong


class ProfileError(ConfigurationError):
    """A profile that cannot be used, with all that is wrong with it."""

    def __init__(self, place: str, problems: tuple[Problem, ...]) -> None:
        """``place`` is the file as its user named it; there is at least one problem."""
        first = problems[0]
        hint = first.todo
        if len(problems) > 1:
            others = counted(len(problems) - 1, "more problem")
            hint += f"\n{others}: 'migrator providers check {place}' lists all of them"
        super().__init__(f"{place}, line {first.line}: {first.sentence}", hint=hint)
        self.problems = problems


def written(at: KeyPath) -> str:
    """A key path as people write it."""
    text = ""
    for part in at:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text
