"""A process at a terminal of its own, as after a log in; and the terminal goes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 60.0
"""Seconds after which a test that waits for the process gives up."""

_BECOME = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Becomes another program, with standard input as its terminal."""


@dataclass
class AtTerminal:
    """A process whose input and output are a terminal."""

    process: subprocess.Popen[str]
    _leader: int

    def hang_up(self) -> int:
        """The terminal goes, and the system sends SIGHUP; returns the exit code."""
        self._let_go()
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End it, however that went."""
        self.process.kill()
        self.process.wait(PATIENCE)
        self._let_go()

    def _let_go(self) -> None:
        if self._leader >= 0:
            os.close(self._leader)
            self._leader = -1


@contextmanager
def at_terminal(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Iterator[AtTerminal]:
    """Start a program at a new terminal, which nobody reads."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _BECOME, *command],
        cwd=folder,
        env=environment,
        text=True,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    session = AtTerminal(process, leader)
    try:
        yield session
    finally:
        session.close()
