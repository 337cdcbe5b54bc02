"""Copies of a ledger, and readers who may not write where it lies."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from migrator.ledger.file import opening
from tests import warm
from tests.conftest import SetScene
from tests.support import PATIENCE, Finished, Scene

NOBODY = 65534


@pytest.fixture
def scene(set_scene: SetScene) -> Scene:
    scene = set_scene(12)
    assert scene.migrator("run", "tokens.csv", "--limit", "5").returncode == 0
    return scene


def test_a_copy_made_while_a_job_works_is_whole_and_its_owners_alone(set_scene: SetScene) -> None:
    scene = set_scene(300, "latency=20ms", mix="partner=1", expired=0.0)
    job = scene.start("run", "tokens.csv", "--concurrency", "4")
    while scene.states().get("migrated", 0) < 20:
        assert job.poll() is None
    copied = scene.migrator("ledger", "copy", "copy.db")
    assert copied.returncode == 0, copied.stderr
    assert scene.states()["migrated"] < 300, "the job was not at work any more"
    job.communicate(timeout=60)
    assert job.returncode == 0
    copy = scene.folder / "copy.db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        states = dict(db.execute("SELECT state, count(*) FROM connections GROUP BY state"))
    assert sum(states.values()) == 300
    assert states["migrated"] >= 20
    assert [path.name for path in scene.folder.glob("*copy.db*")] == ["copy.db"], "it is one file"
    assert "migration.db.key" in copied.stderr


def test_a_copy_can_be_read_and_is_not_worked_on_beside_its_original(scene: Scene) -> None:
    assert scene.migrator("ledger", "copy", "copy.db").returncode == 0
    shutil.copy(scene.folder / "migration.db.key", scene.folder / "copy.db.key")
    assert "5 pairs stored" in scene.migrator("--ledger", "copy.db", "status").stdout
    refused = scene.migrator("--ledger", "copy.db", "resume")
    assert refused.returncode == 2
    assert "is a copy of" in refused.stderr
    assert "migration.db" in refused.stderr
    serve = scene.migrator(
        "--ledger", "copy.db", "reconsent", "serve", "--public-url", "http://127.0.0.1:8766"
    )
    assert (serve.returncode, "is a copy of" in serve.stderr) == (2, True)
    # Where the original is lost, the copy goes on in its place, or where it is.
    (scene.folder / "migration.db").rename(scene.folder / "lost")
    assert scene.migrator("--ledger", "copy.db", "resume").returncode == 0
    (scene.folder / "copy.db").rename(scene.folder / "migration.db")
    assert scene.migrator("resume").returncode == 0
    assert scene.untrue() == []


def test_nothing_is_copied_over_and_a_copy_that_cannot_be_made_leaves_nothing(scene: Scene) -> None:
    (scene.folder / "there").write_text("mine")
    refused = scene.migrator("ledger", "copy", "there")
    assert (refused.returncode, "exists already" in refused.stderr) == (2, True)
    assert (scene.folder / "there").read_text() == "mine"
    missing = scene.migrator("ledger", "copy", "no/such/folder/copy.db")
    assert (missing.returncode, "cannot be written" in missing.stderr) == (2, True)
    full = scene.with_little_room(64, "ledger", "copy", "copy.db")
    assert full.returncode == 2, full.stderr
    assert "cannot be written" in full.stderr
    nowhere = scene.migrator("--ledger", "none.db", "ledger", "copy", "copy.db")
    assert (nowhere.returncode, "there is no ledger" in nowhere.stderr) == (2, True)
    assert not list(scene.folder.glob("*copy.db*"))
    assert not list(scene.folder.glob(".copy.db*"))


@pytest.mark.parametrize("target", [".", "..", "/", "", "folder", "folder/", "file/x", "n" * 300, "dangling"])
def test_what_can_be_no_new_file_is_refused(scene: Scene, target: str) -> None:
    (scene.folder / "folder").mkdir()
    (scene.folder / "file").touch()
    (scene.folder / "dangling").symlink_to("nowhere")
    before = sorted(scene.folder.rglob("*"))
    refused = scene.migrator("ledger", "copy", target)
    assert refused.returncode == 2, refused.stderr
    assert refused.stderr.startswith("error: ")
    assert "\nhint: " in refused.stderr
    assert "Traceback" not in refused.stderr
    assert [path for path in sorted(scene.folder.rglob("*")) if "migration.db-" not in path.name] == before


def test_a_name_may_be_as_long_as_the_file_system_takes_it(scene: Scene) -> None:
    assert scene.migrator("ledger", "copy", "n" * 255).returncode == 0
    assert scene.migrator("ledger", "copy", "ü" * 127).returncode == 0


@pytest.mark.parametrize("spoilt", ["garbage", "cut off"])
def test_damage_is_the_ledgers_and_not_the_copys(scene: Scene, spoilt: str) -> None:
    scene.alter("CREATE TABLE filler AS SELECT randomblob(2000) FROM attempts, attempts")
    scene.empty_log()
    whole = scene.ledger.read_bytes()
    middle = len(whole) // 2
    scene.ledger.write_bytes(
        whole[:middle] if spoilt == "cut off" else whole[:4096] + b"\xff" * 40_960 + whole[45_056:]
    )
    refused = scene.migrator("ledger", "copy", "copy.db")
    assert refused.returncode == 2, refused.stderr
    assert re.search(r"error: (the ledger )?migration.db (is damaged|cannot be read)", refused.stderr)
    assert "copy.db" not in refused.stderr
    assert not [path.name for path in scene.folder.iterdir() if "copy.db" in path.name]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_copy_that_is_broken_off_leaves_nothing(scene: Scene, number: signal.Signals) -> None:
    scene.alter("CREATE TABLE filler (x)")
    for _ in range(8):
        scene.alter("INSERT INTO filler VALUES (zeroblob(25000000))")
    scene.empty_log()
    copying = scene.start("ledger", "copy", "copy.db")
    while not (begun := [path for path in scene.folder.glob(".copy.db.*.part") if path.stat().st_size]):
        assert copying.poll() is None, copying.communicate()
    assert begun
    copying.send_signal(number)
    _, said = copying.communicate(timeout=PATIENCE)
    assert (copying.returncode, said.strip()) == (130, "interrupted")
    assert not [path.name for path in scene.folder.iterdir() if "copy.db" in path.name]


def test_a_copy_without_the_log_is_said_to_be_that(set_scene: SetScene) -> None:
    scene = set_scene(200, "latency=20ms", mix="partner=1", expired=0.0)
    job = scene.start("run", "tokens.csv", "--concurrency", "2")
    while scene.states().get("migrated", 0) < 5:
        assert job.poll() is None
    (scene.folder / "copied.db").write_bytes((scene.folder / "migration.db").read_bytes())
    shutil.copy(scene.folder / "migration.db.key", scene.folder / "copied.db.key")
    job.terminate()
    job.communicate(timeout=60)
    with closing(opening.connect(scene.folder / "copied.db", readonly=True)) as db:
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    assert tables == (0,), "the log was moved into the ledger already"
    for command in (["status"], ["resume"], ["report", "-o", "r.md"]):
        finished = scene.migrator("--ledger", "copied.db", *command)
        assert finished.returncode == 2
        assert "copied.db-wal" in finished.stderr
        assert "migrator ledger copy" in finished.stderr


# --- readers ---


@pytest.fixture
def shown(scene: Scene) -> Iterator[Path]:
    """A folder in which everybody may read a ledger, and only its owner write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in scene.folder.glob("migration.db*"):
            shutil.copy(file, folder)
        for file in folder.iterdir():
            file.chmod(0o444)
        folder.chmod(0o555)
        try:
            yield folder
        finally:
            folder.chmod(0o700)


def read(folder: Path, *arguments: str, standing: Path = Path("/")) -> Finished:
    """Run a command as somebody who may not write there; root may write everywhere, so not as root."""
    return warm.run(
        "migrator",
        ["--ledger", str(folder / "migration.db"), *arguments],
        ahead=0.0,
        folder=standing,
        environment={"HOME": "/", "PATH": os.environ["PATH"]},
        stdin=None,
        timeout=60.0,
        user=NOBODY if os.getuid() == 0 else None,
    )


@pytest.mark.parametrize(
    "command", [["status"], ["status", "--json"], ["reconsent", "list"], ["report", "-o", "-"]]
)
def test_who_may_only_read_can_read_a_ledger_at_rest(shown: Path, command: list[str]) -> None:
    before = sorted(file.name for file in shown.iterdir())
    finished = read(shown, *command)
    assert finished.returncode == (2 if "report" in command else 0), finished.stderr
    assert "readonly" not in finished.stderr
    assert sorted(file.name for file in shown.iterdir()) == before


@pytest.mark.parametrize("there", ["a file", "a folder"])
def test_a_configuration_that_somebody_else_may_not_read_stops_no_command_that_needs_none(
    shown: Path, there: str
) -> None:
    shown.chmod(0o755)
    configuration = shown / "migrator.toml"
    if there == "a file":
        configuration.touch(mode=0o600)
    else:
        configuration.mkdir(mode=0o700)
    shown.chmod(0o555)
    for command in (["status"], ["status", "--json"], ["reconsent", "list"], ["providers"]):
        finished = read(shown, *command, standing=shown)
        assert finished.returncode == 0, finished.stderr
    for command in (["resume"], ["ledger", "rekey"]):  # which need it
        refused = read(shown, *command, standing=shown)
        assert refused.returncode == 2
        assert "migrator.toml cannot be read" in refused.stderr
    for named in (["--config", "migrator.toml"], [f"--config={configuration}"]):
        refused = read(shown, *named, "status", standing=shown)
        assert refused.returncode == 2
        assert "Invalid value for '--config'" in refused.stderr


def test_a_reader_may_stand_in_a_folder_that_they_may_not_enter(shown: Path, scene: Scene) -> None:
    assert scene.alter("UPDATE runs SET resume_at = '2999-01-01T00:00:00.000000+00:00'")
    scene.empty_log()
    shown.chmod(0o755)
    (shown / "migration.db").chmod(0o644)
    shutil.copy(scene.ledger, shown / "migration.db")
    (shown / "migration.db").chmod(0o444)
    shown.chmod(0o555)
    scene.folder.chmod(0o700)
    finished = read(shown, "status", standing=scene.folder)
    assert finished.returncode == 0, finished.stderr
    assert "go on from 2999" in finished.stdout


def test_who_may_only_read_is_told_why_a_ledger_at_work_cannot_be_read(shown: Path) -> None:
    shown.chmod(0o755)
    with closing(sqlite3.connect(shown / "migration.db")) as db:
        (shown / "migration.db").chmod(0o644)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("UPDATE connections SET tries = tries + 1")
        db.commit()
        log = (shown / "migration.db-wal").read_bytes()
    assert log, "there is no log to be read"
    (shown / "migration.db-wal").write_bytes(log)
    (shown / "migration.db-wal").chmod(0)
    shown.chmod(0o555)
    finished = read(shown, "status")
    assert finished.returncode == 2
    assert "is being worked on" in finished.stderr
    assert "migrator ledger copy" in finished.stderr
