"""A profile's document against its JSON Schema (Draft 2020-12), with what is wrong in sentences of our own.

In the schema each ``description`` is what a value must be: it completes the sentence *must be …*.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from migrator.providers.profile_file.problems import KeyPath, Problem

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

Schema = Mapping[str, Any]

_KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a table",
}
_LONGEST_WORD = 40
_MOST_NAMES = 16
"""Of keys that could be meant; the file as a whole may have more."""


def schema_text() -> str:
    """The schema as it ships."""
    return (files(__package__) / "profile.schema.json").read_text("utf-8")


@cache
def _schema() -> Schema:
    schema: Schema = json.loads(schema_text())
    return schema


def _validator_of(schema: Schema) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - profiles that ship are not looked through

    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


@cache
def _validator() -> Draft202012Validator:
    return _validator_of(_schema())


@dataclass(frozen=True)
class _Violation:
    """A value that the schema does not allow."""

    at: KeyPath
    keyword: str
    """The keyword of the schema that does not allow it."""
    wanted: Any
    """The keyword's own value."""
    given: Any
    schema: Schema
    """The schema that the keyword stands in."""
    of_name: bool
    """Whether it is a table's key, and not a value; then ``at`` is the table."""

    @property
    def must_be(self) -> str:
        return str(self.schema.get("description", "a text that is not empty"))


def schema_problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """All that the schema does not allow. Days are texts here, as JSON has no others."""
    for error in _validator().iter_errors(document):
        violation: Any = (
            error  # its types say that any part may be unset: that is so only before it is raised
        )
        yield from _problems(
            _Violation(
                tuple(violation.absolute_path),
                violation.validator,
                violation.validator_value,
                violation.instance,
                violation.schema,
                "propertyNames" in violation.absolute_schema_path,
            )
        )


def _problems(violation: _Violation) -> Iterator[Problem]:
    at = violation.at
    if violation.of_name:
        wrong = f"has a name that cannot be: it must be {violation.must_be}"
        yield Problem((*at, str(violation.given)), wrong, "call it so")
        return
    match violation.keyword:
        case "additionalProperties" | "unevaluatedProperties":
            yield from _unknown_keys(violation)
        case "required":
            yield from _missing(violation)
        case "dependentRequired":
            yield from _incomplete(violation)
        case _:
            yield Problem(at, *_unfit(violation))


def _unfit(violation: _Violation) -> tuple[str, str]:
    """What is wrong with a value, and what to do."""
    match violation.keyword:
        case "enum":
            return "must be one of " + ", ".join(violation.wanted), _meant(violation)
        case "minProperties":
            return "says nothing", f"leave it out, or write {violation.must_be}"
        case "maxProperties":
            return "says it twice", f"leave one of {', '.join(violation.given)}"
        case "uniqueItems":
            return "says one thing twice", "take the second out"
        case "type" | "const":
            kind = _KINDS.get(type(violation.given), "something else")
            return f"must be {violation.must_be}, and is {kind}", "mend the value"
    return f"must be {violation.must_be}", "mend the value"


def _missing(violation: _Violation) -> Iterator[Problem]:
    for name in violation.wanted:
        if name not in violation.given:
            yield Problem((*violation.at, name), "is missing", f"add {_what(violation.schema, name)}")


def _what(schema: Schema, name: str) -> str:
    """What a key of a table must be."""
    wanted = schema["properties"][name]
    if "description" not in wanted:
        wanted = _shared(wanted)
    return str(wanted["description"])


def _shared(schema: Schema) -> Schema:
    """The definition that a schema refers to."""
    definition: Schema = _schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    return definition


def _unknown_keys(violation: _Violation) -> Iterator[Problem]:
    known = _known_keys(violation.schema)
    # jsonschema takes all keys of a call's shared part for unknown where one of them is wrong.
    for name in violation.given:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            todo = f"there may be {', '.join(known)}" if len(known) <= _MOST_NAMES else "take it out"
            if close:
                todo = f"did you mean {close[0]}?"
            elif _fits_the_top(name, violation.given[name]):
                todo = "it belongs to the file as a whole: put it above the first table"
            yield Problem((*violation.at, name), "is not known", todo, surplus=True)


def _fits_the_top(name: str, value: Any) -> bool:
    """Whether a key that is not known where it stands would be right above the first table."""
    schema = _schema()
    if name not in schema["properties"]:
        return False
    return _validator_of({"$defs": schema["$defs"], **schema["properties"][name]}).is_valid(value)


def _known_keys(schema: Schema) -> list[str]:
    names = list(schema.get("properties", ()))
    if "$ref" in schema:
        names = [*_shared(schema)["properties"], *names]
    return names


def _incomplete(violation: _Violation) -> Iterator[Problem]:
    for name, needed in violation.wanted.items():
        for other in needed:
            if name in violation.given and other not in violation.given:
                todo = f"add {other}, or take {name} out"
                yield Problem((*violation.at, name), f"says nothing without {other}", todo)


def _meant(violation: _Violation) -> str:
    """The value that seems to be meant; what stands there is not quoted."""
    given = violation.given
    if isinstance(given, str) and len(given) <= _LONGEST_WORD:
        lower = {word.lower(): word for word in violation.wanted}
        for close in get_close_matches(given.lower(), lower, n=1):
            return f"did you mean {lower[close]}?"
    return "choose the one that fits"
