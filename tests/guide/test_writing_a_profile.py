"""The page on profiles says what the schema says: no key too few, none too many; and its example is right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import migrator
from migrator.cli import cli
from migrator.providers.profile_file.checks import placeholders
from migrator.settings.configuration import load

PACKAGE = Path(migrator.__file__).parent
PAGE = (PACKAGE / "guide" / "writing_a_profile.md").read_text("utf-8")
SCHEMA = json.loads((PACKAGE / "providers/profile_file/profile.schema.json").read_text("utf-8"))

KeyPath = tuple[str, ...]

CALL = "call"
"""Stands for each of the calls in what the page says of all of them."""
NAME = "NAME"
"""Stands for a name that the profile's writer chooses."""


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref", "").rpartition("/")[2]
    return {**resolved(SCHEMA["$defs"][reference]), **schema} if reference else schema


def keys_of(schema: Mapping[str, Any], path: KeyPath = ()) -> Iterator[KeyPath]:
    """The path of each key that a schema knows; what all calls have stands once, under ``CALL``."""
    schema = resolved(schema)
    for name, each in schema.get("properties", {}).items():
        yield (*path, name)
        yield from keys_of(each, (*path, name))
    if isinstance(named := schema.get("additionalProperties"), dict) and resolved(named).get("properties"):
        yield from keys_of(named, (*path, NAME))
    if "items" in schema:
        yield from keys_of(schema["items"], path)


def known_keys() -> set[KeyPath]:
    keys = set(keys_of(SCHEMA)) | set(keys_of(SCHEMA["$defs"]["call"], (CALL,)))
    # Where one call's answer differs from the others', it has the keys of [answer].
    return {key for key in keys if len(key) < 3 or key[1] != "answer" or key[0] == "renew"}


CALLS = {name for name, each in SCHEMA["properties"].items() if each.get("$ref") == "#/$defs/call"} | {CALL}


def sections() -> Iterator[tuple[list[str], str]]:
    """The page's sections, each with the tables that its heading names."""
    for heading, text in re.findall(r"^##+ (.*)\n((?:(?!##).*\n)*)", PAGE, re.MULTILINE):
        tables = re.findall(r"`\[+([a-z_]+)(?:\.NAME)?\]+`", heading)
        yield [CALL if table == "swap" else table for table in tables], text


def told_keys() -> Iterator[tuple[KeyPath, str]]:
    """Each key of the page's tables, and the section that it stands in."""
    for tables, text in sections():
        for table in re.findall(r"^\| key \|.*\n(?:\|.*\n)*", text, re.MULTILINE):
            for cell in re.findall(r"^\| (`[^|]*`) \|", table, re.MULTILINE):
                for key in re.findall(r"`([^`]*)`", cell):
                    yield path_of(key, tables), text


def path_of(key: str, tables: list[str]) -> KeyPath:
    path = tuple(key.split("."))
    if len(path) > 1 or not tables:
        return path
    return next(((table, *path) for table in tables if (table, *path) in known_keys()), (tables[0], *path))


def spans(text: str) -> list[str]:
    """What stands between back quotes."""
    return re.findall(r"`([^`\n]+)`", text)


def names_it(text: str, word: str) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", span) for span in spans(text))


def is_told(key: KeyPath, told: Mapping[KeyPath, str]) -> bool:
    """Whether a key has a row, or stands in the text beside the row of the table that it is of."""
    if key in told or any(other[: len(key)] == key for other in told):
        return True
    if key[0] in CALLS and ((CALL, *key[1:]) in told or (key[1:] == () and f"[{key[0]}]" in spans(PAGE))):
        return True
    above = [other for other in told if key[: len(other)] == other]
    return any(names_it(told[other], key[-1]) for other in above)


def test_the_page_tells_every_key() -> None:
    told = dict(told_keys())
    assert len(told) > 60
    assert sorted(key for key in known_keys() if not is_told(key, told)) == []


def test_the_page_tells_no_key_that_there_is_not() -> None:
    free = {path for path, _ in told_keys() if path[-1] == NAME}
    assert free == {("application_types", NAME), ("headers", NAME)}
    assert sorted({path for path, _ in told_keys()} - free - known_keys()) == []


def enumerated(schema: Any) -> Iterator[str]:
    """Every word that the schema takes somewhere."""
    if isinstance(schema, dict):
        yield from schema.get("enum", ())
        for each in schema.values():
            yield from enumerated(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from enumerated(each)


@pytest.mark.parametrize("word", sorted(set(enumerated(SCHEMA))))
def test_the_page_tells_every_word_that_a_key_takes(word: str) -> None:
    assert names_it(PAGE, word)


@pytest.mark.parametrize("name", sorted(placeholders._ALL))
def test_the_page_tells_every_placeholder(name: str) -> None:
    assert f"{{{name}}}" in spans(PAGE)


def toml_blocks() -> list[str]:
    return re.findall(r"^ *```toml\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_example_is_right(tmp_path: Path) -> None:
    (example,) = [block for block in toml_blocks() if "[swap]" in block]
    profile = tmp_path / "acme.toml"
    profile.write_text(example, "utf-8")
    result = CliRunner().invoke(cli, ["providers", "check", str(profile)])
    assert result.exit_code == 0, result.output
    assert "no problem found" in result.output


def test_an_example_that_is_wrong_is_seen(tmp_path: Path) -> None:
    (example,) = [block for block in toml_blocks() if "[swap]" in block]
    profile = tmp_path / "acme.toml"
    profile.write_text(example.replace('authentication = "basic"', 'authentication = "basics"'), "utf-8")
    result = CliRunner().invoke(cli, ["providers", "check", str(profile)])
    (said,) = [line for line in PAGE.splitlines() if line.startswith("acme.toml:") and "client" in line]
    assert said.partition(": ")[2] in result.output


def test_the_settings_beside_the_example_are_right(tmp_path: Path) -> None:
    (text,) = [block for block in toml_blocks() if "[oauth2]" in block]
    (tmp_path / "migrator.toml").write_text(re.sub("^ +", "", text, flags=re.MULTILINE), "utf-8")
    settings = load(tmp_path / "migrator.toml", required=True)
    assert settings.provider_file == tmp_path / "acme.toml"


def test_the_schema_is_where_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    (command,) = re.findall(r"^python -c '(.*)'$", PAGE, re.MULTILINE)
    exec(command, {})
    assert json.loads(Path(capsys.readouterr().out.strip()).read_text("utf-8")) == SCHEMA
