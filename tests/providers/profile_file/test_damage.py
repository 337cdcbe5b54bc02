"""Whatever a profile's file says, it is read, or all that is wrong with it is said: there is no traceback."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from datetime import date, datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from migrator.providers.facts import Facts
from migrator.providers.profile_file import ProfileError, built_in_names, built_in_text, read_profile
from tests.providers.profile_file.everything import EVERYTHING

TEXTS = [*map(built_in_text, built_in_names()), EVERYTHING]
OTHER_VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "x", "{token", "{row.}", "https://", "POST http://[", "2026-01-01", "9d", "\x00", "é"]
    ),
    st.integers(-1, 10**30),
    st.booleans(),
    st.floats(),
    st.just([]),
    st.just({}),
    st.just([[{}]]),
    st.just({"x": {"y": 1}}),
    st.dates(),
)


def written(value: Any) -> str:
    """A value as inline TOML."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            shown = "".join(c if c.isprintable() and c not in '"\\' else f"\\u{ord(c):04x}" for c in value)
            return f'"{shown}"'
        case date() | datetime():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(written, value))}]"
        case dict():
            return "{ " + ", ".join(f"{written(key)} = {written(one)}" for key, one in value.items()) + " }"
    return str(value)


def tables(value: Any) -> list[Any]:
    """All tables and lists in a document, itself included."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    inner = [table for one in members for table in tables(one)]
    return [value, *inner] if isinstance(value, dict | list) else inner


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A profile with some keys dropped, renamed, copied elsewhere, or with another value."""
    document = deepcopy(tomllib.loads(draw(st.sampled_from(TEXTS))))
    for _ in range(draw(st.integers(1, 4))):
        places = [table for table in tables(document) if table]
        table = draw(st.sampled_from(places))
        key = draw(st.sampled_from(list(table) if isinstance(table, dict) else list(range(len(table)))))
        value = deepcopy(draw(OTHER_VALUES))  # else one example changes the next one
        elsewhere = draw(st.sampled_from(places))
        match draw(st.integers(0, 4)):
            case 0:
                del table[key]
            case 1 if isinstance(table, dict):
                table[f"{key}s"] = table.pop(key)
            case 2 if isinstance(elsewhere, dict):
                elsewhere[str(key)] = deepcopy(table[key])
            case 3 if isinstance(table[key], str):
                at = draw(st.integers(0, len(table[key])))
                table[key] = table[key][:at] + draw(st.sampled_from('\n\t {}.\x00é9"')) + table[key][at:]
            case _ if value is not None:
                table[key] = value
    return "".join(f"{written(name)} = {written(value)}\n" for name, value in document.items())


def read(text: str) -> Facts | ProfileError:
    try:
        return read_profile(text, "acme.toml")
    except ProfileError as error:
        return error


@given(damaged())
def test_a_damaged_profile_is_read_or_refused(text: str) -> None:
    tomllib.loads(text)
    outcome = read(text)
    if isinstance(outcome, ProfileError):
        assert outcome.problems
        assert outcome.hint
        for problem in outcome.problems:
            assert 1 <= problem.line <= text.count("\n") + 1
            assert problem.wrong
            assert problem.todo


@given(st.text())
@example("\x00")
@example("[[a]]\n[a]")
def test_what_is_no_profile_is_refused(text: str) -> None:
    assert isinstance(read(text), ProfileError)


@given(st.sampled_from(TEXTS), st.data())
def test_a_profile_that_is_cut_or_garbled_is_read_or_refused(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    garble = data.draw(st.sampled_from(["", "\x00", '"', "]", "[[", "= ", "\n", "{", "'''", "#"]))
    for damaged_text in (text[:at], text[:at] + garble + text[at:], text[:at] + garble + text[at + 1 :]):
        outcome = read(damaged_text)
        assert isinstance(outcome, Facts) or outcome.problems
