"""A path that leads nowhere is told in a sentence, with what to do: no traceback, and not amid a job."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from migrator.errors import ConfigurationError, InputError, LedgerError, OutputError
from migrator.ledger.file import opening
from migrator.ledger.file.keys import key_path, old_key_path
from migrator.ledger.file.opening import LONGEST_ENDING
from migrator.ledger.file.rescue import RescueFile
from migrator.ledger.file.vault import LedgerKey, Vault
from migrator.output_files import write_file
from migrator.row_rules import RowRules
from migrator.settings.configuration import load
from migrator.sources import open_source
from tests.support import PATIENCE, Finished

TOKENS = "app_type,oauth_token\npublic,T\n"
TOO_LONG = "n" * 300
NEARLY_TOO_LONG = "n" * 250
WRONG = ["tokens.csv/x", "loop", "loop/x", TOO_LONG, ""]
"""Below a file, links in a circle, a name that is too long, none."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tokens.csv").write_text(TOKENS)
    (tmp_path / "loop").symlink_to("loop")
    return tmp_path


def migrator(folder: Path, *arguments: str, **variables: str) -> Finished:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MIGRATOR_")}
    return subprocess.run(
        [sys.executable, "-m", "migrator", *arguments],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(Path(__file__).parents[2]), **variables},
        text=True,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


def assert_refused(finished: Finished) -> None:
    assert finished.returncode == 2, finished.stderr
    assert "\nerror: " in f"\n{finished.stderr}"
    assert "\nhint: " in finished.stderr
    assert "Traceback" not in finished.stderr
    assert finished.stdout == ""


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may enter every folder."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("path", [*WRONG, NEARLY_TOO_LONG])
@pytest.mark.parametrize("command", ["status", "run tokens.csv --dry-run"])
def test_a_ledger_that_cannot_be_is_refused(folder: Path, path: str, command: str) -> None:
    assert_refused(migrator(folder, "--ledger", path, *command.split()))


@pytest.mark.parametrize(
    "command", ["run tokens.csv", "resume", "report -o r.md", "reconsent list", "ledger rekey"]
)
def test_every_command_that_needs_the_ledger_refuses_it(folder: Path, command: str) -> None:
    (folder / "migrator.toml").write_text("[oauth1]\nconsumer_key='k'\n[oauth2]\nclient_id='i'\n")
    secrets = {"MIGRATOR_CONSUMER_SECRET": "s", "MIGRATOR_CLIENT_SECRET": "s"}
    assert_refused(migrator(folder, "--ledger", "tokens.csv/x", *command.split(), **secrets))


def test_a_command_that_needs_no_ledger_does_not_mind(folder: Path) -> None:
    assert migrator(folder, "providers", MIGRATOR_LEDGER="loop").returncode == 0


def test_a_folder_that_one_may_not_enter_holds_no_ledger(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    with as_nobody(), pytest.raises(LedgerError, match="Permission denied") as caught:
        opening.usable(locked / "migration.db")
    assert "--ledger" in caught.value.hint


def test_a_working_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    before = Path.cwd()
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    try:
        gone.rmdir()
        with pytest.raises(LedgerError):
            opening.usable(Path("migration.db"))
    finally:
        os.chdir(before)


def test_a_ledger_that_may_be_made_is_usable_and_a_link_stands_for_its_target(tmp_path: Path) -> None:
    path, link = tmp_path / "migration.db", tmp_path / "link.db"
    link.symlink_to(path)
    assert opening.usable(path) == path
    assert opening.usable(link) == path
    assert opening.usable(tmp_path / "none" / "migration.db")
    assert opening.usable(Path("migration.db")) == Path("migration.db")


def test_no_name_beside_the_ledger_is_longer_than_the_one_that_was_tried(tmp_path: Path) -> None:
    ledger = tmp_path / "m"
    old_key = old_key_path(key_path(ledger), Vault(LedgerKey.generate()).key_id)
    assert len(old_key.name) - 1 == len(LONGEST_ENDING)
    assert len(".rescue.damaged.1000") <= len(LONGEST_ENDING)


@pytest.mark.parametrize("path", WRONG)
def test_a_configuration_that_cannot_be_is_refused(folder: Path, path: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(Path(folder, path), required=True)
    assert caught.value.hint


@pytest.mark.parametrize("path", ["tokens.csv/x", "loop", TOO_LONG, ""])
def test_init_writes_no_configuration_there(folder: Path, path: str) -> None:
    assert_refused(migrator(folder, "--config", path, "init"))
    assert (folder / "loop").is_symlink()


@pytest.mark.parametrize("path", WRONG)
def test_a_log_file_that_cannot_be_is_refused(folder: Path, path: str) -> None:
    assert_refused(migrator(folder, "--log-file", path, "providers"))


@pytest.mark.parametrize("path", [*WRONG, ":", f"{TOO_LONG}:table"])
def test_tokens_that_cannot_be_are_refused(folder: Path, path: str) -> None:
    assert_refused(migrator(folder, "run", path, "--dry-run"))


def test_no_name_is_not_taken_for_the_working_folder() -> None:
    with pytest.raises(InputError, match="named by nothing") as caught:
        open_source("", stdin=None, rules=RowRules())  # type: ignore[arg-type]
    assert caught.value.hint


def test_a_database_whose_name_leaves_no_room_for_a_log_is_read(tmp_path: Path) -> None:
    short, path = tmp_path / "legacy.db", tmp_path / ("n" * 253)
    with closing(sqlite3.connect(short)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE tokens (app_type, oauth_token)")
    shutil.move(short, path)
    assert list(open_source(f"{path}:tokens", stdin=None, rules=RowRules()).rows()) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("path", [".", "/"])
def test_a_file_of_the_settings_has_a_name(tmp_path: Path, path: str) -> None:
    settings = tmp_path / "migrator.toml"
    settings.write_text(f'ledger_key_file = "{path}"')
    with pytest.raises(ConfigurationError, match="ledger_key_file is not a file name"):
        load(settings, required=True)


@pytest.mark.parametrize("path", WRONG)
def test_a_result_that_cannot_be_written_is_told(folder: Path, path: str) -> None:
    if path == "loop":  # a file of that name is replaced, whatever it is
        write_file(folder / path, ["x"])
        return
    with pytest.raises(OutputError) as caught:
        write_file(Path(folder, path), ["x"])
    assert caught.value.hint


def test_a_rescue_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    ledger = tmp_path / "migration.db"
    Path(f"{ledger}.rescue").mkdir()
    with pytest.raises(LedgerError, match="rescue file") as caught:
        RescueFile.waits(ledger)
    assert caught.value.hint
    with pytest.raises(LedgerError, match="rescue file"):
        list(RescueFile(ledger, Vault(LedgerKey.generate())).read(str))
