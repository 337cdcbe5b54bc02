"""A program that takes pairs, for tests: it writes them down, and does what files beside it tell it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

PROGRAM = """
import json, os, sys, time
here = {here!r}
def there(name):
    return os.path.exists(os.path.join(here, name))
for line in sys.stdin:
    if there("gone"):
        sys.exit(7)
    while there("slow"):
        time.sleep(0.01)
    asked = json.loads(line)
    refused = there("refuse") and open(os.path.join(here, "refuse")).read()
    taken = asked["key"] != refused
    if taken:
        with open(os.path.join(here, "taken"), "a") as file:
            file.write(line)
    if there("die"):
        os.unlink(os.path.join(here, "die"))
        sys.exit(8)
    answer = {{"key": asked["key"], "taken": taken, **({{}} if taken else {{"problem": "no such customer"}})}}
    print(json.dumps(answer), flush=True)
"""


class Application:
    """What the application has got, by its own word."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.program = folder / "take.py"
        self.program.write_text(PROGRAM.format(here=str(folder)))

    @property
    def url(self) -> str:
        return f"exec:{sys.executable} {self.program}"

    def tell(self, name: str, text: str = "") -> None:
        """Have it be ``gone``, ``slow``, ``refuse`` a key, or ``die`` after the next line."""
        (self.folder / name).write_text(text)

    def no_longer(self, name: str) -> None:
        (self.folder / name).unlink()

    def lines(self) -> list[dict[str, object]]:
        """All that it took, in order."""
        path = self.folder / "taken"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def taken(self) -> list[str]:
        """Whose pairs it took, each as often as it came."""
        return sorted(str(line["key"]) for line in self.lines())
