"""In which line of a TOML text each key stands: ``tomllib`` does not say.

The text is one that ``tomllib`` has read: nothing is checked here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from migrator.providers.profile_file.problems import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_OTHER_VALUE = re.compile(r"[^,\]}#\r\n]+")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_SHORT_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


def lines_of_keys(text: str) -> Mapping[KeyPath, int]:
    """The line, from 1, in which each key and each element of a list first stands."""
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.lines


def line_of(at: KeyPath, lines: Mapping[KeyPath, int]) -> int:
    """The line of a key; of one that is not there, that of the nearest table that it would stand in."""
    for length in range(len(at), 0, -1):
        if at[:length] in lines:
            return lines[at[:length]]
    return 1


class _Scanner:
    """Goes through the text once, from key to key."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text = text
        self._at = 0
        self._counted = 0
        self._line = 1
        self._elements: dict[KeyPath, int] = {}
        """How many ``[[…]]`` there were so far, by the list's path."""

    def scan(self) -> None:
        table: KeyPath = ()
        self._skip()
        while self._at < len(self._text):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)
            self._skip()

    def _header(self) -> KeyPath:
        """``[a.b]`` or ``[[a.b]]``."""
        of_list = self._text.startswith("[[", self._at)
        self._at += 2 if of_list else 1
        path: KeyPath = ()
        names = self._key()
        for number, name in enumerate(names):
            path = self._noted((*path, name))
            if of_list and number == len(names) - 1:
                self._elements[path] = self._elements.get(path, -1) + 1
            if path in self._elements:
                path = self._noted((*path, self._elements[path]))
        self._at += 2 if of_list else 1
        return path

    def _pair(self, table: KeyPath) -> None:
        """``a.b = value``."""
        path = table
        for name in self._key():
            path = self._noted((*path, name))
        self._at += 1  # the equals sign
        self._skip()
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        match self._text[self._at]:
            case "[":
                self._members(path, "]")
            case "{":
                self._members(path, "}")
            case '"' | "'":
                self._take(_STRING)
            case _:
                self._take(_OTHER_VALUE)

    def _members(self, path: KeyPath, end: str) -> None:
        """The elements of an array, or the pairs of an inline table."""
        self._at += 1
        self._skip()
        number = 0
        while self._text[self._at] != end:
            if end == "}":
                self._pair(path)
            else:
                self._value(self._noted((*path, number)))
            number += 1
            self._skip()
            if self._text[self._at] == ",":
                self._at += 1
                self._skip()
        self._at += 1

    def _key(self) -> list[str]:
        """A key's names, up to what follows them."""
        names = []
        while True:
            self._skip()
            if self._text[self._at] in "\"'":
                names.append(_unquoted(self._take(_STRING)))
            else:
                names.append(self._take(_BARE))
            self._skip()
            if self._text[self._at] != ".":
                return names
            self._at += 1

    def _noted(self, path: KeyPath) -> KeyPath:
        if path not in self.lines:
            self._line += self._text.count("\n", self._counted, self._at)
            self._counted = self._at
            self.lines[path] = self._line
        return path

    def _skip(self) -> None:
        self._take(_BLANK)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise ValueError("tomllib has not read this text")
        self._at = found.end()
        return found.group()


def _unquoted(quoted: str) -> str:
    if quoted.startswith("'"):
        return quoted[1:-1]
    return _ESCAPE.sub(lambda found: _escaped(found.group(1)), quoted[1:-1])


def _escaped(escape: str) -> str:
    return _SHORT_ESCAPES[escape] if len(escape) == 1 else chr(int(escape[1:], 16))
