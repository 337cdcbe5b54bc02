"""The text of a profile's file, read into facts, or all that is wrong with it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from migrator.providers.facts import Facts
from migrator.providers.profile_file.building import build
from migrator.providers.profile_file.checks import check
from migrator.providers.profile_file.places import line_of, lines_of_keys
from migrator.providers.profile_file.problems import KeyPath, Problem, ProfileError
from migrator.providers.profile_file.schema_check import schema_problems

_BYTE_ORDER_MARK = "\ufeff"
"""Some editors begin a file with it; TOML does not."""
_SYNTAX_LINE = re.compile(r"\(at line ([0-9]+), column [0-9]+\)$")

_TWICE = re.compile(r"Cannot declare \((.*)\) twice")
"""``tomllib`` shows a table's name as Python writes a tuple."""


def read_profile(text: str, place: str) -> Facts:
    """What a profile's file says. ``place`` is what its user calls the file: it stands in messages alone.

    Raises ``ProfileError`` with all that is wrong.
    """
    text = text.removeprefix(_BYTE_ORDER_MARK)
    try:
        document = _as_json(tomllib.loads(text))
        lines = lines_of_keys(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(place, (_syntax(str(error), text),)) from None
    except (RecursionError, ValueError):
        endless = Problem((), "is nested too deeply, or has a number without end", "write it anew", 1)
        raise ProfileError(place, (endless,)) from None
    wrong = list(schema_problems(document))
    if not all(problem.surplus for problem in wrong):
        raise ProfileError(place, _placed(wrong, lines))
    known = _without(document, [problem.at for problem in wrong])
    facts = build(known)
    wrong += check(facts, known)
    if wrong:
        raise ProfileError(place, _placed(wrong, lines))
    return facts


def read_shipped(text: str) -> Facts:
    """What the file of a profile that ships says: nothing is wrong with it, which a test has seen to."""
    return build(_as_json(tomllib.loads(text)))


def _syntax(said: str, text: str) -> Problem:
    """``tomllib`` says the line at the end of its sentence, or that the text ended. It quotes no value."""
    found = _SYNTAX_LINE.search(said)
    line = int(found.group(1)) if found else text.count("\n") + 1
    sentence = said[: found.start()].strip() if found else said.partition(" (")[0]
    twice = _TWICE.fullmatch(sentence)
    if twice:
        table = ".".join(re.findall(r"'([^']*)'", twice.group(1)))
        return Problem((), "is not valid TOML", f"[{table}] is there already: write both as one table", line)
    return Problem((), "is not valid TOML", f"mend the line or the one before: {sentence}", line)


def _placed(problems: Iterable[Problem], lines: Mapping[KeyPath, int]) -> tuple[Problem, ...]:
    placed = {replace(problem, line=line_of(problem.at, lines)) for problem in problems}
    return tuple(sorted(placed, key=lambda problem: (problem.line, problem.key, problem.wrong)))


def _as_json(value: Any) -> Any:
    """The same with texts for days and times, of which JSON knows none."""
    match value:
        case dict():
            return {name: _as_json(one) for name, one in value.items()}
        case list():
            return [_as_json(one) for one in value]
        case date() | datetime() | time():
            return value.isoformat()
    return value


def _without(document: dict[str, Any], surplus: Iterable[KeyPath]) -> dict[str, Any]:
    """A copy without the keys that nobody knows."""
    kept = deepcopy(document)
    for *tables, name in surplus:
        inner: Any = kept
        for table in tables:
            inner = inner[table]
        del inner[name]
    return kept
