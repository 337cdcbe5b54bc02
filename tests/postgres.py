"""A real PostgreSQL server for the tests, on a free loopback port, with passwords that are checked."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from tests.ports import free_port

PATIENCE = 60.0
"""Seconds after which a server that does not answer has failed."""

PASSWORD = "p@ss:w/o?r%d#&'\"é+ HUSH9HUSH"
"""The administrator's: with every character that a URL, a shell or a connection string could take amiss."""

USER = "migrator_tests"


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int

    @contextmanager
    def database(self) -> Iterator[Database]:
        """A new database of its own."""
        name = f"test_{os.urandom(6).hex()}"
        database = Database(self.port, name)
        with self._administrator() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield database
        with self._administrator() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _administrator(self) -> psycopg.Connection[tuple[Any, ...]]:
        return _connect(self.port, "postgres")


@dataclass(frozen=True)
class Database:
    """A database on it."""

    port: int
    name: str

    def url(self, table: str = "", *, password: str | None = PASSWORD, **parameters: str) -> str:
        """Its URL; ``password`` None leaves it out."""
        secret = "" if password is None else f":{quote(password, safe='')}"
        query = {**({"table": table} if table else {}), **parameters}
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        start = f"postgresql://{USER}{secret}@127.0.0.1:{self.port}/{self.name}"
        return f"{start}?{text}" if text else start

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a statement yields, committed."""
        with _connect(self.port, self.name) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def may_deliver(self, role: str) -> None:
        """Let a role say what has arrived, which may make no table."""
        self.execute(
            "CREATE TABLE IF NOT EXISTS migrator_deliveries (id text PRIMARY KEY, arrived boolean NOT NULL,"
            " pairs integer NOT NULL, refused text NOT NULL, written_at timestamptz NOT NULL DEFAULT now())"
        )
        self.execute(f"GRANT INSERT, SELECT ON migrator_deliveries TO {role}")


def _connect(port: int, database: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(
        host="127.0.0.1", port=port, user=USER, password=PASSWORD, dbname=database, autocommit=True
    )


@contextmanager
def serving() -> Iterator[Server]:
    """A server in a folder of its own, gone afterwards."""
    with _installed() as (data, user), _running(data, user, free_port()) as server:
        yield server


class MortalServer:
    """A server that can be killed, and come back with what was committed."""

    def __init__(self, data: Path, user: str | None) -> None:
        self._data = data
        self._user = user
        self._running = ExitStack()
        self.server = Server(free_port())
        self.start()

    def start(self) -> None:
        """Serve (again)."""
        self._running.enter_context(_running(self._data, self._user, self.server.port))

    def stop_immediately(self) -> None:
        """As if it had crashed: whoever is connected loses what was not committed."""
        command = [_program("pg_ctl"), "stop", "-m", "immediate", "-D", str(self._data)]
        subprocess.run(command, user=self._user, cwd="/", capture_output=True, timeout=PATIENCE, check=True)
        self._running.close()

    def end(self) -> None:
        """For good."""
        self._running.close()


@contextmanager
def mortal() -> Iterator[MortalServer]:
    """A server in a folder of its own that can be killed, gone afterwards."""
    with _installed() as (data, user):
        server = MortalServer(data, user)
        try:
            yield server
        finally:
            server.end()


@contextmanager
def _installed() -> Iterator[tuple[Path, str | None]]:
    """A folder with a server's data, and whose it is: it must not be root's, which PostgreSQL refuses."""
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="migrator-postgres-"))
    try:
        password_file = folder / "password"
        password_file.write_text(PASSWORD + "\n", "utf-8")
        if user is not None:
            for path in (folder, password_file):
                shutil.chown(path, user)
        data = folder / "data"
        _initialise(data, password_file, user)
        yield data, user
    finally:
        shutil.rmtree(folder)


def _unprivileged() -> str | None:
    """Whom the server shall run as; None for whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _program(name: str) -> str:
    """A program of PostgreSQL's; Debian keeps them out of the PATH."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = str(kept[-1]) if kept else shutil.which(name)
    assert found, f"there is no {name}: the tests need a PostgreSQL server (apt-get install postgresql)"
    return found


def _initialise(data: Path, password_file: Path, user: str | None) -> None:
    command = [_program("initdb"), "--pgdata", str(data), "--username", USER, "--encoding", "UTF8"]
    command += ["--no-locale", "--auth", "scram-sha-256", "--pwfile", str(password_file), "--no-sync"]
    finished = subprocess.run(
        command, user=user, cwd="/", capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert finished.returncode == 0, finished.stderr


@contextmanager
def _running(data: Path, user: str | None, port: int) -> Iterator[Server]:
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "shared_buffers": "16MB",
        "timezone": "Asia/Kathmandu",  # none in which a mistake with time zones goes unseen
    }
    command = [_program("postgres"), "-D", str(data), "-p", str(port)]
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (data.parent / "log").open("ab") as log:
        process = subprocess.Popen(command, user=user, cwd="/", stdout=log, stderr=log)
    try:
        _await(port, process, data.parent / "log")
        yield Server(port)
    finally:
        process.send_signal(signal.SIGINT)  # without waiting for those who are still connected
        process.wait(PATIENCE)


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            _connect(port, "postgres").close()
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.05)
        else:
            return
