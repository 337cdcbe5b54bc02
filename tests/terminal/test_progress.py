"""How a job shows that it moves: a bar on a terminal, lines elsewhere, nothing when nobody looks."""

from __future__ import annotations

import io
import os
import pty
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TextIO

import pytest

from migrator.terminal.background import BackgroundProgress
from migrator.terminal.progress import Bar, Lines, NoProgress, Progress, for_stream


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    """A real terminal, whose other end nobody looks at."""
    leader, follower = pty.openpty()
    with os.fdopen(leader, "rb", buffering=0), os.fdopen(follower, "w") as stream:
        yield stream


def test_a_terminal_gets_a_bar_and_everything_else_lines(terminal: TextIO) -> None:
    assert isinstance(for_stream(terminal), Bar)
    assert isinstance(for_stream(io.StringIO()), Lines)


def test_who_wants_quiet_gets_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    run(NoProgress())
    assert capfd.readouterr() == ("", "")


def test_who_works_does_not_wait_for_a_display_that_takes_nothing() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b"." * 65_536)
    os.set_blocking(writing, True)
    with os.fdopen(reading, "rb") as there, os.fdopen(writing, "w") as stream:
        progress = BackgroundProgress(Lines(stream))
        progress.start("swapping", 2)

        def work() -> None:
            for _ in range(2):
                progress.note("a note")
                progress.advance("migrated")

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        worker.join(30)
        assert not worker.is_alive()
        with ThreadPoolExecutor(1) as pool:
            shown = pool.submit(there.read)
            progress.stop()
            stream.close()
    *notes, last = shown.result().decode().lstrip(".").splitlines()
    assert notes == ["a note"] * 2
    assert re.fullmatch(r"swapping: 2 of 2 \([\d,]+/(s|min)\), migrated 2", last)


def test_a_phase_ends_once_all_of_it_is_shown() -> None:
    shown: list[str] = []
    showing, go_on = threading.Event(), threading.Event()

    class Slow(NoProgress):
        def note(self, text: str) -> None:
            showing.set()
            go_on.wait(30)
            shown.append(text)

        def stop(self) -> None:
            shown.append("stop")

    progress = BackgroundProgress(Slow())
    progress.start("swapping", 1)
    shown.clear()
    progress.note("a note")
    assert showing.wait(30)
    threading.Timer(0.3, go_on.set).start()
    progress.stop()
    assert shown == ["a note", "stop"]


def test_what_is_told_between_two_phases_is_shown_at_once() -> None:
    stream = io.StringIO()
    progress = BackgroundProgress(Lines(stream))
    progress.note("before")
    assert stream.getvalue() == "before\n"
    run(progress)
    progress.note("after")
    assert stream.getvalue().splitlines()[0::3] == ["before", "after"]


def run(progress: Progress) -> None:
    progress.start("swapping", 1_200)
    for number in range(1_200):
        progress.advance("migrated" if number % 4 else "failed")
    progress.note("a note")
    progress.stop()
    progress.stop()


def test_lines_end_with_what_was_done_by_state() -> None:
    stream = io.StringIO()
    run(Lines(stream))
    note, last = stream.getvalue().splitlines()
    assert note == "a note"
    assert re.fullmatch(r"swapping: 1,200 of 1,200 \([\d,]+/s\), failed 300, migrated 900", last)


def test_lines_come_now_and_then_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stream = io.StringIO()
    lines = Lines(stream)
    lines.start("swapping", 40)
    for _ in range(20):
        now[0] += 1
        lines.advance()
    assert stream.getvalue().splitlines() == [
        "swapping: 5 of 40 (1/s, 35 s left)",
        "swapping: 10 of 40 (1/s, 30 s left)",
        "swapping: 15 of 40 (1/s, 25 s left)",
        "swapping: 20 of 40 (1/s, 20 s left)",
    ]


def test_an_unknown_total_is_not_made_up() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines.start("reading", None)
    lines.advance()
    lines.stop()
    assert re.fullmatch(r"reading: 1 \([\d,]+/s\)\n", stream.getvalue())


@pytest.mark.parametrize("display", [Bar, Lines])
def test_a_new_phase_counts_anew(display: type[Bar] | type[Lines]) -> None:
    stream = io.StringIO()
    progress = display(stream)
    progress.start("first", 3)
    progress.advance("failed")
    progress.start("second", 3)
    progress.advance("migrated")
    progress.stop()
    last = stream.getvalue().rpartition("second")[2]
    assert re.search(r"\b1( of |/)3\b", last)
    assert "failed" not in last


def test_a_bar_shows_count_total_and_states() -> None:
    stream = io.StringIO()
    run(Bar(stream))
    last = re.split(r"[\r\n]", stream.getvalue().rstrip())[-1]
    assert "swapping" in last
    assert "1200/1200" in last
    assert "failed=300, migrated=900" in last
    assert "a note" in stream.getvalue()


@pytest.mark.parametrize("display", [Bar, Lines])
def test_many_workers_may_tell_at_once(display: type[Bar] | type[Lines]) -> None:
    stream = io.StringIO()
    progress = display(stream)
    progress.start("swapping", 2_000)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: progress.advance("migrated"), range(2_000)))
    progress.stop()
    assert re.search(r"migrated[ =]2,?000", stream.getvalue())


@pytest.mark.parametrize("display", [Bar, Lines])
def test_what_is_told_outside_a_phase_does_no_harm(display: type[Bar] | type[Lines]) -> None:
    progress = display(io.StringIO())
    progress.advance("migrated")
    progress.stop()
