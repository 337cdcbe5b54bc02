"""A program that runs beside us and is spoken with in lines; neither side holds the other up for ever.

Whatever it says that it should not, no message quotes: lines hold secrets.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Protocol

from migrator.handover.receivers.interface import UnavailableError

_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 16
"""Bytes; no answer is near it."""


class Answers(Protocol):
    """Whoever knows what was asked."""

    @property
    def complete(self) -> bool:
        """Whether all is answered."""

    def take(self, line: bytes) -> None:
        """One more answer. Raises ``UnavailableError`` for what is none."""


class RunningProgram:
    """One process of it. After an ``UnavailableError``, all that can be done with it is to end it."""

    def __init__(self, arguments: Sequence[str], environ: Mapping[str, str], *, grace: float) -> None:
        """Start it. ``grace`` is how long it has for each of the ways to end, in seconds.

        Raises ``OSError``.
        """
        self._grace = grace
        self._process = subprocess.Popen(  # noqa: S603 - the user's own program, and no shell between
            arguments,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
            close_fds=True,
            start_new_session=True,  # Ctrl-C is for us: we end it, once it has answered
        )
        self._input, self._output = _pipe(self._process.stdin), _pipe(self._process.stdout)
        self._unsent = memoryview(b"")
        self._begun = bytearray()
        """A line that has not come whole yet."""

    def is_ready(self) -> bool:
        """Whether it can be asked something; if not, it has ended, which it may while nothing is asked.

        Raises ``UnavailableError`` if it has said something: that would be taken for an answer.
        """
        with suppress(BlockingIOError):
            if not self._hear():
                return False
        if self._begun:
            raise UnavailableError("spoke before it was asked")
        return self._process.poll() is None

    def ask(self, text: bytes, answers: Answers, timeout: float) -> None:
        """Send lines while answers come, until all of both are through.

        ``timeout`` is how long it may neither take anything in nor answer, in seconds. Raises
        ``UnavailableError``.
        """
        self._unsent = memoryview(text)
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            selector.register(self._input, selectors.EVENT_WRITE)
            ends = time.monotonic() + timeout
            while self._unsent or not answers.complete:
                ready = {key.fileobj for key, _ in selector.select(max(0.0, ends - time.monotonic()))}
                moved = False
                if self._input in ready:
                    moved = self._write(selector)
                if self._output in ready:
                    moved = self._read(answers) or moved
                if moved:
                    ends = time.monotonic() + timeout
                elif time.monotonic() >= ends:
                    raise UnavailableError(self._silence(timeout))

    def end(self) -> None:
        """Let it end: its input is over, then it is told to end, then it is made to."""
        self._input.close()
        for order in (None, signal.SIGTERM, signal.SIGKILL):
            if order is not None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, order)  # it may be a script that waits for another program
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(self._grace)
                break
        self._output.close()

    def _write(self, selector: selectors.BaseSelector) -> bool:
        """Send what fits in; whether something did."""
        try:
            sent = os.write(self._input.fileno(), self._unsent[:_CHUNK])
        except BlockingIOError:
            return False
        except BrokenPipeError:  # what it still says, or how it ended, tells more
            selector.unregister(self._input)
            return False
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            selector.unregister(self._input)
        return sent > 0

    def _read(self, answers: Answers) -> bool:
        """Take what it answers; whether an answer has come whole."""
        if not self._hear():
            raise UnavailableError(self._fate())
        *lines, rest = self._begun.split(b"\n")
        self._begun = rest
        for line in (*lines, rest):
            if len(line) > _LONGEST_LINE:
                raise UnavailableError("answered a line that is too long")
        for line in lines:
            answers.take(bytes(line))
        return bool(lines)

    def _hear(self) -> bool:
        """Read what is there; whether more may come. Raises ``BlockingIOError`` if nothing is there."""
        heard = os.read(self._output.fileno(), _CHUNK)
        self._begun += heard
        return bool(heard)

    def _silence(self, timeout: float) -> str:
        """Why no answer comes. A process that it has left behind may keep its output open."""
        return self._fate() if self._process.poll() is not None else f"did not answer for {timeout:g} s"

    def _fate(self) -> str:
        """How it ended, whose output is over."""
        try:
            status = self._process.wait(self._grace)
        except subprocess.TimeoutExpired:
            return "closed its output"
        if status >= 0:
            return f"ended with exit status {status}"
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-status).name}"
        return f"was ended by signal {-status}"


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("not a pipe")
    os.set_blocking(pipe.fileno(), False)
    return pipe
