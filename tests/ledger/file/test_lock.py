"""One job a ledger, held against real processes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from migrator.errors import ExitCode, LedgerLockedError, LedgerUnwritableError
from migrator.ledger.file.lock import exclusive

HOLD = """
import sys
from pathlib import Path
from migrator.ledger.file.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
print("free", flush=True)
sys.stdin.readline()
"""
TRY = """
import sys
from pathlib import Path
from migrator.errors import LedgerLockedError
from migrator.ledger.file.lock import exclusive
try:
    with exclusive(Path(sys.argv[1])):
        print("held")
except LedgerLockedError:
    print("locked")
"""


@contextmanager
def holder(ledger: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the ledger, until it is told to let go."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(ledger)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def attempt(ledger: Path) -> str:
    """What another process finds."""
    command = [sys.executable, "-c", TRY, str(ledger)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "migration.db"


def test_a_ledger_that_another_process_holds_is_refused_naming_it(ledger: Path) -> None:
    with holder(ledger) as process:
        with pytest.raises(LedgerLockedError) as caught, exclusive(ledger):
            pass
        assert f"process {process.pid}" in caught.value.message
        assert str(ledger) in caught.value.message
        assert caught.value.exit_code is ExitCode.LOCKED


def test_a_ledger_that_we_hold_is_refused_to_others_until_we_let_go(ledger: Path) -> None:
    with exclusive(ledger):
        assert attempt(ledger) == "locked"
        with pytest.raises(LedgerLockedError, match=str(os.getpid())), exclusive(ledger):
            pass
        assert attempt(ledger) == "locked"
    assert attempt(ledger) == "held"


def test_who_lets_go_lets_others_in(ledger: Path) -> None:
    with holder(ledger) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "free\n"
        with exclusive(ledger):
            assert process.poll() is None


def test_a_process_that_was_killed_holds_nothing(ledger: Path) -> None:
    with holder(ledger) as process:
        process.kill()
        process.wait()
        with exclusive(ledger):
            pass


def test_an_error_under_the_lock_lets_go_of_it(ledger: Path) -> None:
    with pytest.raises(KeyError), exclusive(ledger):
        raise KeyError
    assert attempt(ledger) == "held"


def test_a_programme_that_we_start_does_not_inherit_the_lock(ledger: Path) -> None:
    wait = [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.readline()"]
    with exclusive(ledger):
        child = subprocess.Popen(
            wait, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, close_fds=False
        )
    with child:
        assert child.stdout
        assert child.stdout.readline() == "up\n"
        assert attempt(ledger) == "held"
        child.kill()


def test_a_lock_file_that_was_left_behind_means_nothing(ledger: Path) -> None:
    (ledger.parent / "migration.db.lock").write_text("12345 and a much longer text than a process id\n")
    with exclusive(ledger):
        assert (ledger.parent / "migration.db.lock").read_text() == f"{os.getpid()}\n"


def test_the_lock_file_is_its_owners(ledger: Path) -> None:
    with exclusive(ledger):
        assert stat.S_IMODE((ledger.parent / "migration.db.lock").stat().st_mode) == 0o600


def test_different_ledgers_do_not_get_in_each_others_way(ledger: Path) -> None:
    with exclusive(ledger), exclusive(ledger.with_name("other.db")):
        assert attempt(ledger) == "locked"


def test_where_no_lock_can_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnwritableError, match=r"db\.lock"), exclusive(tmp_path / "none" / "m.db"):
        pass
