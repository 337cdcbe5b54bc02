"""A ledger's key is rotated: wholly or not at all, whenever the rotation is killed."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.conftest import SetScene
from tests.support import Scene

KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from migrator import cli
from migrator.ledger.file import rotation

def die(*_): os.kill(os.getpid(), signal.SIGKILL)

seal = rotation._seal_anew
where = sys.argv.pop(1)
if where == "before the commit":
    values = rotation._values
    def few(connection, table, column):
        for number, value in enumerate(values(connection, table, column)):
            if table == "token_pairs" and number == 3:
                die()
            yield value
    rotation._values = few
else:
    rotation._seal_anew = lambda *arguments: (seal(*arguments), die())
cli.main()
"""


@pytest.fixture
def migrated(set_scene: SetScene) -> Scene:
    scene = set_scene(12, mix="partner=1", expired=0.5)
    assert scene.migrator("run", "tokens.csv", "--limit", "8").returncode == 0
    return scene


def test_everything_is_sealed_anew_and_the_job_goes_on(migrated: Scene) -> None:
    key = (migrated.folder / "migration.db.key").read_text("ascii")
    secrets, sealed = migrated.secrets() - {key.strip()}, blobs(migrated)
    finished = migrated.migrator("ledger", "rekey")
    assert finished.returncode == 0, finished.stderr
    new_key = (migrated.folder / "migration.db.key").read_text("ascii")
    assert new_key != key
    assert migrated.secrets() - {new_key.strip()} == secrets
    assert not sealed & blobs(migrated)
    raw = migrated.ledger.read_bytes()
    assert not [value for value in sealed if value in raw], "what the old key opens is still in the file"
    migrated.environment["MIGRATOR_LEDGER_KEY"] = key.strip()
    refused = migrated.migrator("resume")
    assert (refused.returncode, "was made with key" in refused.stderr) == (2, True)
    del migrated.environment["MIGRATOR_LEDGER_KEY"]
    assert migrated.migrator("resume").returncode == 0
    assert migrated.states() == {"migrated": 12}


@pytest.mark.parametrize("where", ["before the commit", "after the commit"])
def test_a_rotation_that_is_killed_leaves_a_ledger_that_opens(migrated: Scene, where: str) -> None:
    key = (migrated.folder / "migration.db.key").read_text("ascii")
    process = subprocess.run(
        [sys.executable, "-c", KILLED, where, "ledger", "rekey"],
        cwd=migrated.folder,
        env=migrated.clean_environment(),
        capture_output=True,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert (migrated.folder / "migration.db.key.new").exists()
    assert migrated.migrator("resume").returncode == 0
    assert migrated.untrue() == []
    same = (migrated.folder / "migration.db.key").read_text("ascii") == key
    assert same is (where == "before the commit")
    assert migrated.migrator("ledger", "rekey").returncode == 0
    assert migrated.migrator("resume").returncode == 0
    assert not (migrated.folder / "migration.db.key.new").exists()


def test_a_rotation_waits_for_nobody(migrated: Scene) -> None:
    (migrated.folder / "migration.db.rescue").write_bytes(b"an answer\\n")
    finished = migrated.migrator("ledger", "rekey")
    assert (finished.returncode, "rescue file" in finished.stderr) == (2, True)


def blobs(scene: Scene) -> set[bytes]:
    """Every encrypted value."""
    columns = {
        "legacy_tokens": "material",
        "token_pairs": "access_token",
        "connections": "further",
        "meta": "value",
    }
    rows = [row for table, column in columns.items() for row in scene.query(f"SELECT {column} FROM {table}")]
    return {value for (value,) in rows if isinstance(value, bytes)}


def test_a_rotation_killed_after_its_commit_is_not_overwritten_by_the_next(migrated: Scene) -> None:
    key_file = migrated.folder / "migration.db.key"
    migrated.environment["MIGRATOR_LEDGER_KEY"] = key_file.read_text("ascii").strip()
    key_file.unlink()
    subprocess.run(
        [sys.executable, "-c", KILLED, "after the commit", "ledger", "rekey"],
        cwd=migrated.folder,
        env=migrated.clean_environment(),
        capture_output=True,
        check=False,
    )
    refused = migrated.migrator("ledger", "rekey")
    assert (refused.returncode, ".key.new" in refused.stderr) == (2, True)
    del migrated.environment["MIGRATOR_LEDGER_KEY"]
    assert migrated.migrator("resume").returncode == 0
    assert migrated.states() == {"migrated": 12}
