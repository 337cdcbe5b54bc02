"""Runs migrator in a process of its own that need not start cold.

Importing takes a process half a second, and the tests need some fifteen hundred of them. Here the standard
library's fork server has imported everything once, and forks for each command: a real process, with its own
descriptors, signals and locks, that can be killed as any other. Jobs that a test starts and goes on beside,
and those that meet a full disk, start cold, as a user's do.
"""

from __future__ import annotations

import faulthandler
import io
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from migrator.commands import NAMES
from tests.at_time import move

_WORK = (
    "jsonschema",
    "migrator.commands.job_terms",
    "migrator.commands.make_delivery",
    "migrator.commands.make_engine",
    "migrator.commands.resume_hint",
    "migrator.consent.links.mail_merge",
    "migrator.consent.links.summary",
    "migrator.consent.links.validity",
    "migrator.consent.serve",
    "migrator.engine.preview",
    "migrator.engine.swap_run",
    "migrator.handover.deliver",
    "migrator.handover.destinations",
    "migrator.handover.export",
    "migrator.handover.purge",
    "migrator.handover.refresh",
    "migrator.handover.revoke",
    "migrator.handover.verify",
    "migrator.ledger.going_back",
    "migrator.ledger.schema",
    "migrator.reports",
    "migrator.settings.configuration",
    "migrator.terminal.background",
    "migrator.terminal.campaign",
    "migrator.terminal.logs",
)
"""What commands import once they are called."""

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [__name__, "migrator.cli", *(f"migrator.commands.{name}" for name in NAMES), *_WORK]
)


def run(
    module: str,
    arguments: Sequence[str],
    *,
    ahead: float,
    folder: Path,
    environment: Mapping[str, str],
    stdin: str | None,
    timeout: float,
    user: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """``python -m MODULE ARGUMENTS``, with migrator's clock ``ahead`` by so many seconds, as another ``user``
    if one is given.

    Raises ``subprocess.TimeoutExpired``, as ``subprocess.run`` does.
    """
    with tempfile.TemporaryDirectory() as name:
        streams = [Path(name) / stream for stream in ("stdin", "stdout", "stderr")]
        streams[0].write_text(stdin or "", "utf-8")
        process = start(
            module, arguments, ahead=ahead, folder=folder, environment=environment, streams=streams, user=user
        )
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            raise
        out, err = (path.read_text("utf-8") if path.exists() else "" for path in streams[1:])
        return subprocess.CompletedProcess([module, *arguments], code, out, err)


class Started:
    """A process that goes on, with what ``subprocess.Popen`` says of one."""

    def __init__(self, process: BaseProcess, command: list[str]) -> None:
        self._process = process
        self._command = command

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._command, timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def start(
    module: str,
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    streams: Sequence[Path],
    ahead: float = 0.0,
    user: int | None = None,
) -> Started:
    """Start the same and go on; it reads the first of ``streams``, and adds to the other two."""
    command = [module, *arguments]
    # A daemon: what a failed test left behind must not keep the tests from ending.
    process = _SERVER.Process(
        target=_become, args=(command, ahead, folder, dict(environment), list(streams), user), daemon=True
    )
    process.start()
    return Started(process, command)


def _become(
    command: list[str],
    ahead: float,
    folder: Path,
    environment: dict[str, str],
    streams: list[Path],
    user: int | None,
) -> None:
    """In the new process: be what a shell would have started there."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    flags = (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | os.O_APPEND] * 2)
    for number, (path, flag) in enumerate(zip(streams, flags, strict=True)):
        descriptor = os.open(path, flag, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False))
    if environment.get("PYTHONFAULTHANDLER"):
        faulthandler.enable()
    move(ahead)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    sys.argv = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
