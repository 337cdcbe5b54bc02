"""The state file: made once, its owner's alone, and there again after a stop of any kind."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
import requests

from migrator.sandbox import SandboxError, credentials, issue_tokens, running, stats
from migrator.sandbox.state.state_file import State, count
from tests.sandbox.application import Row
from tests.sandbox.conftest import Start
from tests.sandbox.support import Client, problem, renewed

CREDENTIALS = "from migrator.sandbox import credentials; print(credentials({path!r}))"
SERVE = "from migrator.commands.sandbox import sandbox; sandbox({arguments!r}, standalone_mode=False)"


def mode(path: Path) -> int:
    """The permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_credentials_are_the_same_at_every_call(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    first = credentials(path)
    assert first.keys() == {
        "consumer_key",
        "consumer_secret",
        "rsa_consumer_key",
        "rsa_private_key_file",
        "public_consumer_key",
        "public_consumer_secret",
        "client_id",
        "client_secret",
        "public_client_id",
        "redirect_uris",
    }
    assert all(first.values())
    key = Path(first["rsa_private_key_file"])
    assert key == tmp_path / "sandbox.db.rsa.pem"
    before = key.read_text()
    key.unlink()
    assert credentials(path) == first
    assert key.read_text() == before
    assert mode(path) == mode(key) == 0o600
    assert {p.name for p in tmp_path.iterdir()} == {"sandbox.db", "sandbox.db.rsa.pem"}


def test_two_states_have_nothing_in_common(furnished: Path, tmp_path: Path) -> None:
    one, other = credentials(furnished), credentials(tmp_path / "other.db")
    for name in one.keys() - {"redirect_uris"}:
        assert one[name] != other[name]


def test_credentials_made_by_several_processes_at_once_are_the_same(tmp_path: Path) -> None:
    code = CREDENTIALS.format(path=str(tmp_path / "sandbox.db"))
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert said == {f"{credentials(tmp_path / 'sandbox.db')}\n"}


def test_further_redirect_uris_are_registered_for_good(state: Path) -> None:
    before = credentials(state)["redirect_uris"]
    further = ["https://app.example/callback", "http://localhost:5000/cb"]
    with running(state, redirect_uris=[*further, *before]):
        assert credentials(state)["redirect_uris"] == [*before, *further]
    assert credentials(state)["redirect_uris"] == [*before, *further]


@pytest.mark.parametrize(
    "uri", ["/callback", "app.example", "ftp://app.example/", "https://", "https://a/#b"]
)
def test_what_is_no_redirect_uri_is_refused(state: Path, uri: str) -> None:
    with pytest.raises(SandboxError, match="redirect-uri"), running(state, redirect_uris=[uri]):
        pass


def test_a_missing_state_is_not_invented_for_the_witness(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="no sandbox state"):
        stats(tmp_path / "missing.db")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    text, database = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("not a database, and long enough to be looked at as one" * 100)
    with closing(sqlite3.connect(database)) as db:
        db.execute("CREATE TABLE t (x)")
    for path in (text, database, tmp_path):
        before = path.read_bytes() if path.is_file() else b""
        with pytest.raises(SandboxError):
            credentials(path)
        assert not path.is_file() or path.read_bytes() == before


def test_a_state_of_another_version_is_refused(state: Path) -> None:
    with closing(sqlite3.connect(state)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(SandboxError, match="version 99"):
        credentials(state)


def test_a_served_grace_is_granted(state: Path, session: requests.Session, partner: Row) -> None:
    with served(state, session, "--refresh-grace", "60") as (client, _):
        pair = client.swap(partner).json()
        assert [client.refresh(pair["refresh_token"]).status_code for _ in range(2)] == [200, 200]


def test_served_uncertified_it_refuses_the_26th(state: Path, session: requests.Session) -> None:
    rows = list(issue_tokens(state, 26, "partner=1", expired=0, organisations_per_user=1))
    with served(state, session, "--uncertified") as (client, _):
        assert [client.swap(row).status_code for row in rows] == [200] * 25 + [403]


def test_what_a_deleted_state_left_over_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sandbox.db-wal").touch()
    with pytest.raises(SandboxError, match="left over"):
        credentials(tmp_path / "sandbox.db")


def test_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="cannot create"):
        credentials(tmp_path / "missing" / "sandbox.db")


def test_a_restart_forgets_nothing(start: Start, partner: Row, expired: Row) -> None:
    client = start()
    pair = client.swap(partner).json()
    fresh = renewed(expired, client.renew(expired))
    again = start()
    assert again.stats()["tokens"] == client.stats()["tokens"]
    assert again.connections(pair["access_token"]).status_code == 200
    assert again.swap(fresh).status_code == 200
    assert problem(again.renew(expired)) == "token_rejected"
    assert again.refresh(pair["refresh_token"]).status_code == 200


@contextmanager
def served(
    state: Path, session: requests.Session, *options: str
) -> Iterator[tuple[Client, subprocess.Popen[str]]]:
    """A ``sandbox serve`` process and a client of it; killed at the end if it still runs."""
    code = SERVE.format(arguments=["serve", "--port", "0", "--state", str(state), *options])
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.startswith("sandbox: listening on http://127.0.0.1:")
            assert line.endswith(f" (state {state})\n")
            yield Client(line.split()[3], credentials(state), session), process
        finally:
            process.kill()


def test_a_kill_loses_nothing_that_was_answered(state: Path, session: requests.Session) -> None:
    rows = list(issue_tokens(state, 20, "partner=1", expired=0))
    with served(state, session) as (client, process):
        pairs = [client.swap(row).json() for row in rows]
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    facts = stats(state)
    assert (facts["swaps_issued"], facts["pairs_working"]) == (20, 20)
    assert facts["requests"] == {"200": 20}
    with served(state, session) as (client, _):
        assert {client.refresh(pair["refresh_token"]).status_code for pair in pairs} == {200}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly(state: Path, session: requests.Session, number: signal.Signals) -> None:
    with served(state, session) as (client, process):
        assert client.session.get(f"{client.base_url}/connections").status_code == 401
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert not Path(f"{state}-wal").exists()


def test_tokens_can_be_issued_while_it_is_served(client: Client, state: Path) -> None:
    issue = f"sum(1 for _ in issue_tokens({str(state)!r}, 3000))"
    code = f"from migrator.sandbox import issue_tokens; print({issue})"
    with ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE))
        rows = list(issue_tokens(state, 30, "partner=1", expired=0))
        assert {client.swap(row).status_code for row in rows} == {200}
        assert process.communicate()[0] == b"3000\n"
    assert sum(client.stats()["issued"].values()) == 3030


def test_a_transaction_shuts_other_writers_out_from_its_beginning(state: Path) -> None:
    with closing(State(state)) as opened, closing(sqlite3.connect(state, timeout=0)) as other:
        # Before it has written anything.
        with opened.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")


def fail_half_way(opened: State) -> None:
    """Write, and fail before the end of the transaction."""
    with opened.writing() as db:
        count(db, "status 200")
        raise ZeroDivisionError


def test_a_transaction_that_fails_leaves_nothing(state: Path) -> None:
    with closing(State(state)) as opened:
        with pytest.raises(ZeroDivisionError):
            fail_half_way(opened)
        with opened.writing() as db:
            count(db, "status 500")
    assert stats(state)["requests"] == {"500": 1}
