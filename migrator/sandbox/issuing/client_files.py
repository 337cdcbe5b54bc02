"""The files that ``sandbox tokens`` leaves for a client: tokens, and settings with the secrets they name."""

from __future__ import annotations

import csv
import json
import os
import secrets
from collections import Counter
from contextlib import contextmanager
from importlib.resources import files
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from migrator.sandbox.errors import SandboxError
from migrator.sandbox.state.legacy_tokens import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

USUAL_NAMES = ("migrator.toml", "consumer_secret", "client_secret")
OTHER_NAMES = ("migrator.sandbox.toml", "consumer_secret.sandbox", "client_secret.sandbox")
"""Taken where one of the usual files is there and says something else: it may be a real application's."""


def write_tokens(path: Path, rows: Iterable[Mapping[str, str]]) -> Counter[str]:
    """Write ``rows`` to a CSV file of mode 0600, whole or not at all; returns how many of each type.

    Where rows have no type, it is empty.
    """
    written: Counter[str] = Counter()
    with _whole(path) as file:
        remaining = iter(rows)
        first = next(remaining, None)
        writer = csv.DictWriter(file, COLUMNS if first is None else first.keys())
        writer.writeheader()
        for row in chain([] if first is None else [first], remaining):
            writer.writerow(row)
            written[row.get("app_type", "")] += 1
    return written


def read_tokens(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file by column; raises ``SandboxError`` if it has no ``oauth_token`` column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if "oauth_token" not in (reader.fieldnames or ()):
                raise SandboxError(f"{path} has no column oauth_token: is it a CSV file with a header?")
            yield from reader
    except (UnicodeDecodeError, csv.Error) as error:
        raise SandboxError(f"{path} is not a CSV file in UTF-8: {error}") from error


def write_settings(directory: Path, known: Mapping[str, Any], base_url: str, provider: str = "xero") -> Path:
    """Write settings for ``known``, the sandbox's credentials, and their secrets; returns the settings' path.

    What a provider's clients must set is in ``settings.toml`` in the provider's folder. A file of a usual
    name that says something else is left alone: all then go by other names.
    """
    template = files("migrator.sandbox").joinpath(provider, "settings.toml").read_text("utf-8")
    wanted = _settings(template, USUAL_NAMES, known, base_url)
    if any(_differs(directory / name, text) for name, text in wanted.items()):
        wanted = _settings(template, OTHER_NAMES, known, base_url)
    for name, text in wanted.items():
        with _whole(directory / name) as file:
            file.write(text)
    return directory / next(iter(wanted))


def _settings(
    template: str, names: tuple[str, str, str], known: Mapping[str, Any], base_url: str
) -> dict[str, str]:
    """Text by file name, the settings first; of the secrets those that the settings name."""
    settings, consumer_secret_file, client_secret_file = names
    values = {
        "base_url": base_url,
        "consumer_key": known["consumer_key"],
        "consumer_secret_file": consumer_secret_file,
        "client_id": known["client_id"],
        "client_secret_file": client_secret_file,
        "redirect_uri": known["redirect_uris"][0],
    }
    # A JSON string is a TOML string too.
    text = template.format_map({name: json.dumps(value) for name, value in values.items()})
    secret_files = {
        "{consumer_secret_file}": (consumer_secret_file, known["consumer_secret"]),
        "{client_secret_file}": (client_secret_file, known["client_secret"]),
    }
    return {settings: text, **dict(file for named, file in secret_files.items() if named in template)}


def _differs(path: Path, text: str) -> bool:
    return path.exists() and path.read_bytes() != text.encode()


@contextmanager
def _whole(path: Path) -> Iterator[IO[str]]:
    """A file that appears under its name, readable by its owner alone, when all is written."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
        draft.replace(path)
    except BaseException:
        draft.unlink()
        raise
