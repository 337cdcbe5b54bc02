"""Each key's line is found, however the file is written."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.providers.profile_file.built_in import built_in_names, built_in_text
from migrator.providers.profile_file.places import line_of, lines_of_keys
from migrator.providers.profile_file.problems import KeyPath

EXAMPLE = '''\
# a comment with [a.table] and key = 1
top = "a # no comment"   # a comment
list = [
  "one",  # 'quoted'
  "two",

  { in = 1, """not a key""" = 2 },
]
"quoted.key" = """
[no.table]
no = "key"\\
"""
'literal' = \'\'\'
no = "key"\'\'\'
a.b . "c\\u0041" = 1979-05-27 07:32:00

[ table . inner ]   # a header
x = { y = { z = 1 }, w = [1, [2,
3]] }
[[errors]]
status = [1]
[errors.sub]
deep = true
[[errors]]
status = [2]
[[errors.list]]
n = 1
[[errors.list]]
n = 2
'''.replace(', """not a key""" = 2', "")


def test_every_way_to_write_a_key_is_found() -> None:
    assert lines_of_keys(EXAMPLE) == {
        ("top",): 2,
        ("list",): 3,
        ("list", 0): 4,
        ("list", 1): 5,
        ("list", 2): 7,
        ("list", 2, "in"): 7,
        ("quoted.key",): 9,
        ("literal",): 13,
        ("a",): 15,
        ("a", "b"): 15,
        ("a", "b", "cA"): 15,
        ("table",): 17,
        ("table", "inner"): 17,
        ("table", "inner", "x"): 18,
        ("table", "inner", "x", "y"): 18,
        ("table", "inner", "x", "y", "z"): 18,
        ("table", "inner", "x", "w"): 18,
        ("table", "inner", "x", "w", 0): 18,
        ("table", "inner", "x", "w", 1): 18,
        ("table", "inner", "x", "w", 1, 0): 18,
        ("table", "inner", "x", "w", 1, 1): 19,
        ("errors",): 20,
        ("errors", 0): 20,
        ("errors", 0, "status"): 21,
        ("errors", 0, "status", 0): 21,
        ("errors", 0, "sub"): 22,
        ("errors", 0, "sub", "deep"): 23,
        ("errors", 1): 24,
        ("errors", 1, "status"): 25,
        ("errors", 1, "status", 0): 25,
        ("errors", 1, "list"): 26,
        ("errors", 1, "list", 0): 26,
        ("errors", 1, "list", 0, "n"): 27,
        ("errors", 1, "list", 1): 28,
        ("errors", 1, "list", 1, "n"): 29,
    }


def test_windows_line_ends_count_once() -> None:
    assert lines_of_keys("a = 1\r\n\r\nb = [\r\n 1]\r\n") == {("a",): 1, ("b",): 3, ("b", 0): 4}


def test_a_key_that_is_not_there_stands_in_its_table() -> None:
    lines = lines_of_keys("a = 1\n[b.c]\nd = 1\n")
    assert line_of(("b", "c", "missing", "more"), lines) == 2
    assert line_of(("missing",), lines) == 1
    assert line_of((), lines) == 1


def paths(value: Any, at: KeyPath = ()) -> set[KeyPath]:
    """The path of every key and element of a document."""
    members: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        members = list(value.items())
    elif isinstance(value, list):
        members = list(enumerate(value))
    return {(*at, key) for key, _ in members}.union(*(paths(one, (*at, key)) for key, one in members))


@pytest.mark.parametrize("name", built_in_names())
def test_every_key_of_what_ships_is_found(name: str) -> None:
    text = built_in_text(name)
    assert lines_of_keys(text).keys() == paths(tomllib.loads(text))


# --- documents of every shape, written in every way, with the lines that their writer knows ---

NAMES = st.sampled_from(["a", "b-c", "d_e", "x.y", "sp ace", 'quo"te', "ä", "#", "[", "="])
SCALARS = st.sampled_from(
    [
        "1",
        "-0.5",
        "true",
        "1979-05-27T07:32:00Z",
        "07:32:00",
        '""',
        "''",
        '"a # b"',
        "'[x]'",
        '"\\"]}"',
        "inf",
    ]
)
MANY_LINED = st.sampled_from(['"""\na = 1\n[b]\n"""', "'''\n'' ]\n'''", '"""x\\\n   y""""'])
GAPS = st.sampled_from(["", " ", "\n", '  # a, [b] = "c\n', "\n\n\t"])


class Writer:
    """Writes TOML and notes in which line each key begins."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[KeyPath, int] = {}

    def note(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def name(self, name: str) -> str:
        bare = name.replace("-", "").replace("_", "").isalnum() and name.isascii()
        if bare and self.draw(st.booleans()):
            return name
        if '"' not in name and self.draw(st.booleans()):
            return f"'{name}'"
        return '"' + name.replace('"', '\\"').replace("ä", "\\u00e4") + '"'

    def value(self, path: KeyPath, depth: int, *, one_line: bool) -> None:
        kind = self.draw(st.integers(0, 3 if depth else 1))
        if kind == 0:
            self.text += self.draw(SCALARS)
        elif kind == 1:
            self.text += self.draw(SCALARS if one_line else MANY_LINED)
        elif kind == 2:
            self.array(path, depth - 1, one_line=one_line)
        else:
            self.inline(path, depth - 1)

    def array(self, path: KeyPath, depth: int, *, one_line: bool) -> None:
        gap = "" if one_line else self.draw(GAPS)
        self.text += "[" + gap
        for number in range(self.draw(st.integers(0, 3))):
            self.note((*path, number))
            self.value((*path, number), depth, one_line=one_line)
            self.text += gap + "," + gap
        self.text += "]"

    def inline(self, path: KeyPath, depth: int) -> None:
        self.text += "{ "
        names = self.draw(st.lists(NAMES, unique=True, max_size=3))
        for number, name in enumerate(names):
            self.text += ", " if number else ""
            self.note((*path, name))
            self.text += f"{self.name(name)} = "
            self.value((*path, name), depth, one_line=True)
        self.text += " }"

    def pairs(self, path: KeyPath) -> None:
        for name in self.draw(st.lists(NAMES, unique=True, max_size=3)):
            self.text += self.draw(GAPS.filter(lambda gap: not gap or gap.endswith(("\n", "\t", " "))))
            inner = self.draw(st.lists(NAMES, max_size=2))
            at = path
            for part in (name, *inner):
                at = (*at, part)
                self.note(at)
            self.text += " . ".join(self.name(part) for part in (name, *inner)) + " ="
            self.value(at, 2, one_line=self.draw(st.booleans()))
            self.text += self.draw(st.sampled_from(["\n", "  # x = 1\n"]))


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[KeyPath, int]]:
    writer = Writer(draw)
    writer.pairs(())
    for number, parts in enumerate(draw(st.lists(st.lists(NAMES, max_size=2), max_size=3))):
        path: KeyPath = (f"t{number}", *parts)
        of_list = draw(st.booleans())
        for element in range(draw(st.integers(1, 3)) if of_list else 1):
            for length in range(1, len(path) + 1):
                writer.note(path[:length])
            names = ".".join(writer.name(str(part)) for part in path)
            at: KeyPath = path
            if of_list:
                at = (*path, element)
                writer.note(at)
            writer.text += f"[[{names}]]\n" if of_list else f"[ {names} ] # x\n"
            writer.pairs(at)
    return writer.text, writer.lines


@given(documents())
def test_the_line_of_every_key_is_found(document: tuple[str, dict[KeyPath, int]]) -> None:
    text, lines = document
    assert paths(tomllib.loads(text)) == lines.keys()  # the writer writes TOML
    assert lines_of_keys(text) == lines
