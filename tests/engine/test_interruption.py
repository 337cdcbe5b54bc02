"""Ctrl-C, SIGTERM and SIGHUP, sent to real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from migrator.engine.interruption import signals_handled

PROGRAM = """
import sys, threading
from migrator.engine.interruption import signals_handled

def tell(text):
    print(text, flush=True)

with signals_handled(7.4) as interruption:
    tell("ready")
    while interruption.stop.wait(60):
        tell(f"asked {interruption.requested}")
        if sys.stdin.readline() == "end\\n":
            break
        interruption.stop.clear()
        tell("ready")
tell("ended")
if sys.stdin.readline() == "again\\n":
    tell("ready")
    threading.Event().wait(60)
"""


@dataclass
class Job:
    """A process that works until it is told to end."""

    process: subprocess.Popen[str]

    def says(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def hears(self, text: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def gets(self, number: int) -> None:
        self.process.send_signal(number)

    def ends(self) -> tuple[int, str]:
        """Exit code and standard error."""
        assert self.process.stdin
        self.process.stdin.close()
        error = self.process.stderr.read() if self.process.stderr else ""
        return self.process.wait(), error


@contextmanager
def job(under: Sequence[str] = (), stderr: int = subprocess.PIPE) -> Iterator[Job]:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*under, sys.executable, "-c", PROGRAM], stdin=pipe, stdout=pipe, stderr=stderr, text=True
    ) as process:
        try:
            at_work = Job(process)
            assert at_work.says() == "ready"
            yield at_work
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_asks_the_job_to_end_and_says_how_long_that_takes(number: int) -> None:
    with job() as at_work:
        at_work.gets(number)
        assert at_work.says() == "asked True"
        at_work.hears("end")
        assert at_work.says() == "ended"
        code, error = at_work.ends()
    assert code == 0
    assert "7 s" in error
    assert "Ctrl-C again" in error


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_ctrl_c_leaves_at_once_and_says_how_to_go_on(first: int) -> None:
    with job() as at_work:
        at_work.gets(first)
        assert at_work.says() == "asked True"
        at_work.gets(signal.SIGINT)
        code, error = at_work.ends()
        assert at_work.says() == ""
    assert code == 130
    assert "migrator resume" in error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_one_only_asks_again(number: int) -> None:
    with job() as at_work:
        for _ in range(2):
            at_work.gets(number)
            assert at_work.says() == "asked True"
            at_work.hears("go on")
            assert at_work.says() == "ready"
        at_work.gets(number)
        assert at_work.says() == "asked True"
        at_work.hears("end")
        assert at_work.says() == "ended"
        assert at_work.ends()[0] == 0


def test_under_nohup_a_sighup_means_nothing() -> None:
    with job(["nohup"]) as at_work:
        at_work.gets(signal.SIGHUP)
        at_work.gets(signal.SIGTERM)
        assert at_work.says() == "asked True"
        at_work.hears("end")
        assert at_work.says() == "ended"
        _, error = at_work.ends()
    assert error.count("ending:") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_afterwards_signals_mean_what_they_meant_before(number: int) -> None:
    with job() as at_work:
        at_work.gets(signal.SIGTERM)
        at_work.says()
        at_work.hears("end")
        assert at_work.says() == "ended"
        at_work.hears("again")
        assert at_work.says() == "ready"
        at_work.gets(number)
        code, error = at_work.ends()
    assert code == -number
    assert ("KeyboardInterrupt" in error) is (number == signal.SIGINT)


def test_a_signal_is_heeded_where_nobody_reads_standard_error_any_more() -> None:
    # ``migrator run … 2>&1 | tee log``: Ctrl-C ends tee too.
    reader, writer = os.pipe()
    with job(stderr=writer) as at_work:
        os.close(writer)
        os.close(reader)
        at_work.gets(signal.SIGINT)
        assert at_work.says() == "asked True"
        at_work.gets(signal.SIGINT)
        assert at_work.ends()[0] == 130


def test_what_stops_without_a_signal_was_not_asked_for() -> None:
    before = signal.getsignal(signal.SIGINT)
    with signals_handled(1) as interruption:
        assert signal.getsignal(signal.SIGINT) is not before
        assert not interruption.stop.is_set()
        interruption.stop.set()
        assert not interruption.requested
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_gives_the_signals_back_too() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyError), signals_handled(1):
        raise KeyError
    assert signal.getsignal(signal.SIGTERM) is before
