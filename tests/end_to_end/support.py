"""What tests of whole migrations have in common."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from importlib import resources

from tests.handover.support import Life
from tests.support import Scene

FAULTS = ("http-503=0.05", "drop-response=0.06", "garbage=0.04", "late=0.04:300ms")


def rows(life: Life) -> list[dict[str, str]]:
    """The legacy tokens, as the input file has them."""
    with (life.folder / "tokens.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def user_ids(life: Life) -> dict[str, str]:
    """Key to the provider's id of the user, as the witness has it."""
    witness = life.witness()
    return {held.key: witness[next(iter(held.tokens))]["user_id"] for held in life.held()}


def set_value(life: Scene, name: str, value: object) -> None:
    """Change one line of the settings, or take it away (None)."""
    settings = life.folder / "migrator.toml"
    line = "" if value is None else f"{name} = {json.dumps(value)}\n"
    text, found = re.subn(rf"(?m)^{name} = .*\n", line, settings.read_text("utf-8"))
    assert found == 1, name
    settings.write_text(text, "utf-8")


def with_limits(life: Scene, limits: str = "") -> None:
    """The provider, but with other limits in its profile: nobody waits hours for a test."""
    built_in = resources.files("migrator.providers") / "profiles" / f"{life.provider}.toml"
    text = re.sub(
        r"(\[\[limits\]\]\n(?:[^\[\n].*\n|\n)*)+", limits + "\n", built_in.read_text("utf-8"), count=1
    )
    (life.folder / "own.toml").write_text(text, "utf-8")
    set_value(life, "provider", "own.toml")


def finish(life: Life, *, most: int = 12) -> None:
    """Resume as an operator would, until nothing is open; at no time is anything untrue."""
    for _ in range(most):
        finished = life.migrator("resume")
        assert finished.returncode in (0, 1, 3), (finished.stdout, finished.stderr)
        assert "Traceback" not in finished.stderr, finished.stderr
        assert life.untrue() == []
        if not {"pending", "in_flight", "uncertain"} & set(life.states()):
            return
    raise AssertionError((finished.stderr, life.query("SELECT key, state, reason, doubt FROM connections")))


def in_the_clear(life: Life, *printed: str) -> set[str]:
    """Where a secret stands that no reader may find: of all files but those that are meant to hold some."""
    given = {"tokens.csv", "consumer_secret", "client_secret", "migration.db.key", "pairs.jsonl"}
    texts = {path.name: path.read_bytes() for path in life.folder.iterdir() if path.name not in given}
    texts["printed"] = "".join(printed).encode()
    secrets = {secret.encode() for secret in life.secrets() if secret}
    return {name for name, text in texts.items() if any(secret in text for secret in secrets)}


def swaps_by_connection(life: Life) -> Mapping[str, int]:
    """Key to the number of swaps that the witness counts."""
    witness = life.witness()
    return {held.key: witness[next(iter(held.tokens))]["swaps"] for held in life.held()}
