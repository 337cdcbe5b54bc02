"""Every error says what to do."""

from __future__ import annotations

import ast
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import migrator
from migrator import errors
from migrator.errors import MigratorError
from migrator.ledger import schema
from migrator.ledger.file import keys, lock, opening, rotation
from migrator.ledger.file.vault import LedgerKey
from migrator.output_files import write_file
from migrator.settings.configuration import load
from migrator.settings.credentials import Needs, read_credentials
from migrator.settings.model import OAuth1Settings, OAuth2Settings, Settings

PACKAGE = Path(migrator.__file__).parent
ELSEWHERE = {PACKAGE / "commands" / name for name in ("demo_steps.py", "sandbox.py")}
"""The sandbox's errors say what to do in their message; the demo's come after those of what it ran."""

NAMES = {name for name, kind in vars(errors).items() if isinstance(kind, type) and name.endswith("Error")}


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Every place in the source that makes one of our errors."""
    for path in sorted(set(PACKAGE.rglob("*.py")) - ELSEWHERE):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def test_no_error_is_made_without_a_hint() -> None:
    found = list(raised())
    assert len(found) > 50
    assert [place for place, call in found if not any(word.arg == "hint" for word in call.keywords)] == []


def settings(folder: Path, text: bytes) -> None:
    (folder / "migrator.toml").write_bytes(text)
    load(folder / "migrator.toml", required=True)


def secret(folder: Path, text: bytes) -> None:
    (folder / "secret").write_bytes(text)
    given = Settings(
        oauth1=OAuth1Settings("k", consumer_secret_file=folder / "secret"), oauth2=OAuth2Settings("i")
    )
    read_credentials(given, Needs(frozenset({"consumer_key", "consumer_secret"})), {})


def key_file(folder: Path, text: bytes) -> None:
    (folder / "key").write_bytes(text)
    keys.read_key(folder / "key")


def locked(folder: Path) -> None:
    with lock.exclusive(folder / "none" / "migration.db"):
        pass


@pytest.mark.parametrize(
    ("act", "what_to_do"),
    [
        (lambda folder: settings(folder, b"[job"), "migrator --config FILE init"),
        (lambda folder: settings(folder, b"\xff"), "UTF-8"),
        (lambda folder: load(folder, required=True), "you may read, or name another with --config FILE"),
        (lambda folder: secret(folder, b""), "put the secret into it"),
        (lambda folder: secret(folder, b"\xff"), "UTF-8"),
        (lambda folder: key_file(folder, b"\xff"), "copy"),
        (keys.read_key, "ledger_key_file"),
        (lambda folder: keys.make_key(folder / "none" / "migration.db"), "permissions"),
        (lambda folder: rotation._write_new_key(folder / "none" / "key"), "the old key still opens"),
        (locked, "permissions"),
        (lambda folder: write_file(folder / "none" / "report.md", []), "name another file"),
    ],
)
def test_the_hint_says_what_to_do(tmp_path: Path, act: Callable[[Path], object], what_to_do: str) -> None:
    with pytest.raises(MigratorError) as caught:
        act(tmp_path)
    assert what_to_do in caught.value.hint


def test_a_rotation_that_cannot_be_written_is_told_and_says_that_no_key_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    ledger, key = tmp_path / "migration.db", LedgerKey.generate()
    opening.create_private(ledger)
    monkeypatch.setattr(schema, "prepare", lambda *_, **__: None)
    monkeypatch.setattr(rotation, "_check", lambda *_: None)
    monkeypatch.setattr(rotation, "_seal_anew", full)
    with pytest.raises(MigratorError, match="disk is full") as caught:
        rotation.rotate_key(ledger, key, tmp_path / "key")
    assert "is kept" in caught.value.hint


def test_a_log_file_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "migrator", "--log-file", "none/log", "providers"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 2
    assert "hint: name another with --log-file" in finished.stderr
