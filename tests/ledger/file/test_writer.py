"""The group writer on real files: each entry whole or not at all, many of them in one commit, and none after
the first commit that failed.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from migrator.errors import ExitCode, LedgerUnwritableError
from migrator.ledger.file import writer as writer_module
from migrator.ledger.file.opening import connect, create_private
from migrator.ledger.file.writer import Batch, GroupWriter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    create_private(path)
    return path


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(path, readonly=False)
    connection.execute("CREATE TABLE entries (name TEXT NOT NULL, load BLOB)")
    yield connection
    connection.close()


@pytest.fixture
def writer(connection: sqlite3.Connection) -> Iterator[GroupWriter]:
    writer = GroupWriter(connection, threading.Event())
    yield writer
    writer.close()


def add(name: str, load: bytes = b"") -> Callable[[sqlite3.Connection], str]:
    """An entry that writes a row and returns its name."""

    def entry(db: sqlite3.Connection) -> str:
        db.execute("INSERT INTO entries VALUES (?, ?)", [name, load])
        return name

    return entry


def on_disk(path: Path) -> list[str]:
    """The names that another connection sees."""
    reader = connect(path, readonly=True)
    try:
        return [name for (name,) in reader.execute("SELECT name FROM entries ORDER BY name")]
    finally:
        reader.close()


class HeldUp:
    """Keeps the writer busy with an entry of its own until many others have queued up behind it."""

    def __init__(self, writer: GroupWriter) -> None:
        self._writer = writer
        self._begun, self._go_on = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(64)

    def __enter__(self) -> HeldUp:
        self.first = self._pool.submit(self._writer.write, self._hold)
        assert self._begun.wait(60)
        return self

    def _hold(self, db: sqlite3.Connection) -> None:
        del db
        self._begun.set()
        assert self._go_on.wait(60)

    def queue(self, *entries: Callable[[sqlite3.Connection], str]) -> list[Future[str]]:
        """Hand entries in, in order, each once the one before it is in line."""
        return [self._in_line(self._writer.write, entry) for entry in entries]

    def queue_items(self, batch: Batch[str, str], *items: str) -> list[Future[str]]:
        """The same with the items of a batch."""
        return [self._in_line(self._writer.write_in_batch, batch, item) for item in items]

    def _in_line(self, write: Callable[..., str], *arguments: object) -> Future[str]:
        before = self._writer._queue.qsize()
        future = self._pool.submit(write, *arguments)
        while self._writer._queue.qsize() == before:
            assert not future.done()
        return future

    def __exit__(self, *_: object) -> None:
        self._go_on.set()
        self._pool.shutdown()


def test_an_entry_is_on_disk_when_it_returns(writer: GroupWriter, path: Path) -> None:
    assert writer.write(add("a")) == "a"
    assert on_disk(path) == ["a"]


def test_what_has_queued_up_is_committed_together(
    writer: GroupWriter, connection: sqlite3.Connection, path: Path
) -> None:
    with HeldUp(writer) as held:
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        futures = held.queue(*(add(f"{number:02}") for number in range(40)))
    assert [future.result() for future in futures] == [f"{number:02}" for number in range(40)]
    assert on_disk(path) == [f"{number:02}" for number in range(40)]
    connection.set_trace_callback(None)
    assert statements.count("COMMIT") == 2  # the one that held the others up, and theirs


def test_many_threads_lose_nothing(writer: GroupWriter, path: Path) -> None:
    names = [f"{number:03}" for number in range(400)]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda name: writer.write(add(name)), names)) == names
    assert on_disk(path) == names


def half_done(db: sqlite3.Connection) -> str:
    add("half")(db)
    raise KeyError("what went wrong")


def test_an_entry_that_fails_is_undone_and_told_to_whoever_asked_alone(
    writer: GroupWriter, path: Path
) -> None:
    with HeldUp(writer) as held:
        before, failing, after = held.queue(add("before"), half_done, add("after"))
    assert (before.result(), after.result()) == ("before", "after")
    with pytest.raises(KeyError, match="what went wrong"):
        failing.result()
    assert on_disk(path) == ["after", "before"]
    assert writer.write(add("later")) == "later"


def add_all(db: sqlite3.Connection, names: Sequence[str]) -> list[str]:
    """A batch that writes a row an item with one statement, and cannot be done if one of them is bad."""
    db.execute("INSERT INTO entries SELECT value, count(*) OVER () FROM json_each(?)", [json.dumps(names)])
    if "bad" in names:
        raise KeyError("what went wrong")
    return [name.upper() for name in names]


def loads(path: Path) -> dict[str, int]:
    """How many were written together with each."""
    with closing(connect(path, readonly=True)) as reader:
        return dict(reader.execute("SELECT name, load FROM entries"))


def test_items_of_one_batch_are_run_together_and_each_gets_its_own_result(
    writer: GroupWriter, path: Path
) -> None:
    with HeldUp(writer) as held:
        futures = held.queue_items(add_all, "a", "b", "c")
        (other,) = held.queue(add("other", b"1"))
    assert [future.result() for future in futures] == ["A", "B", "C"]
    assert other.result() == "other"
    assert loads(path) == {"a": 3, "b": 3, "c": 3, "other": b"1"}


def test_a_batch_that_fails_is_run_again_item_by_item(writer: GroupWriter, path: Path) -> None:
    with HeldUp(writer) as held:
        before, bad, after = held.queue_items(add_all, "before", "bad", "after")
        (other,) = held.queue(add("other", b"1"))
    assert (before.result(), after.result(), other.result()) == ("BEFORE", "AFTER", "other")
    with pytest.raises(KeyError, match="what went wrong"):
        bad.result()
    assert loads(path) == {"before": 1, "after": 1, "other": b"1"}


def test_who_waits_long_is_told_meanwhile(writer: GroupWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "_LONG", 0.01)
    told = threading.Event()
    with ThreadPoolExecutor(1) as pool, HeldUp(writer):
        future = pool.submit(writer.write, add("late"), meanwhile=told.set)
        assert told.wait(60)
        assert not future.done()
    assert future.result() == "late"


def fill(db: sqlite3.Connection) -> str:
    """More than the disk holds, which ``max_page_count`` makes small."""
    return add("too much", b"x" * 1_000_000)(db)


def test_a_full_disk_breaks_the_writer_for_good(
    writer: GroupWriter, connection: sqlite3.Connection, path: Path
) -> None:
    writer.write(add("kept"))
    connection.execute("PRAGMA max_page_count = 20")
    with HeldUp(writer) as held:
        futures = held.queue(add("same group"), fill, add("same group too"))
    for future in futures:
        with pytest.raises(LedgerUnwritableError) as caught:
            future.result()
    assert "full" in caught.value.message
    assert caught.value.exit_code is ExitCode.STOPPED
    assert "resume" in caught.value.hint
    connection.execute("PRAGMA max_page_count = 100000")
    with pytest.raises(LedgerUnwritableError, match="full"):
        writer.write(add("after the failure"))
    assert on_disk(path) == ["kept"]


def test_a_commit_that_fails_loses_no_entry_silently(
    writer: GroupWriter, connection: sqlite3.Connection, path: Path
) -> None:
    connection.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
    connection.execute(
        "CREATE TABLE children (parent INTEGER REFERENCES parents(id) DEFERRABLE INITIALLY DEFERRED)"
    )

    def orphan(db: sqlite3.Connection) -> str:
        db.execute("INSERT INTO children VALUES (1)")
        return "told before the commit"

    with pytest.raises(LedgerUnwritableError):
        writer.write(orphan)
    with pytest.raises(LedgerUnwritableError):
        writer.write(add("x"))
    assert on_disk(path) == []


def test_what_is_queued_is_committed_before_the_writer_stops(
    connection: sqlite3.Connection, path: Path
) -> None:
    writer = GroupWriter(connection, threading.Event())
    with HeldUp(writer) as held:
        futures = held.queue(*(add(f"{number:02}") for number in range(10)))
    writer.close()
    assert len(futures) == len(on_disk(path)) == 10


def test_commits_are_durable(connection: sqlite3.Connection) -> None:
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_stop_of_the_process_is_no_time_in_which_others_held_the_ledger(
    path: Path, writer: GroupWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(step=10_000.0)  # each look took hours: the process was stopped in it
    monkeypatch.setattr("migrator.ledger.file.writer.time.monotonic", clock.__next__)
    with closing(connect(path, readonly=False)) as shell, ThreadPoolExecutor(1) as pool:
        shell.execute("BEGIN IMMEDIATE")
        future = pool.submit(writer.write, add("late"))
        with pytest.raises(TimeoutError):
            future.result(timeout=1.5)  # it has looked at least once
        shell.execute("ROLLBACK")
        assert future.result(timeout=30) == "late"
    assert on_disk(path) == ["late"]
