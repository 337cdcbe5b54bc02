"""Tasks of one thread: whatever one of them waits for, the others go on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from migrator import tasks, waiting
from migrator.settings.limits import MOST_AT_ONCE

LONG = 60.0
"""Seconds that nothing here takes."""


def wait_for_flag(others_done: threading.Event) -> None:
    flag = waiting.flag()

    def set_late() -> None:
        others_done.wait(LONG)
        flag.set()

    threading.Thread(target=set_late).start()
    assert flag.wait(LONG)


def wait_for_event(others_done: threading.Event) -> None:
    assert waiting.until_set(others_done, LONG)


def wait_for_socket(others_done: threading.Event) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        threading.Thread(target=lambda: (others_done.wait(LONG), theirs.send(b"!"))).start()
        waiting.for_socket(ours, LONG)
        assert others_done.is_set()
        ours.recv(1)


def wait_elsewhere(others_done: threading.Event) -> None:
    assert waiting.elsewhere(lambda: others_done.wait(LONG))


@pytest.mark.parametrize("wait", [wait_for_flag, wait_for_event, wait_for_socket, wait_elsewhere])
def test_others_go_on_while_a_task_waits(wait: Callable[[threading.Event], None]) -> None:
    others_done = threading.Event()
    order: list[str] = []

    def waits() -> None:
        order.append("waits")
        wait(others_done)
        order.append("has waited")

    def other() -> None:
        order.append("other")
        others_done.set()

    tasks.run(lambda: tasks.join([tasks.start(waits), tasks.start(other)]), "workers")
    assert order == ["waits", "other", "has waited"]


def test_all_tasks_are_of_one_thread_of_that_name() -> None:
    names: list[str] = []

    def note() -> None:
        names.append(threading.current_thread().name)

    def main() -> None:
        note()
        tasks.join([tasks.start(note), tasks.start(note)])

    tasks.run(main, "workers")
    assert names == ["workers"] * 3


def test_what_keeps_the_thread_from_beginning_is_raised_where_it_was_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class BrokenLoop:
        def __init__(self, name: str) -> None:
            raise OSError(name)

    monkeypatch.setattr(tasks, "_Loop", BrokenLoop)
    with pytest.raises(OSError, match="workers"):
        tasks.run(lambda: None, "workers")


@pytest.mark.parametrize("there_are", [0, 1])
def test_work_is_done_once_by_whoever_there_is_where_the_machine_gives_no_further_thread(
    monkeypatch: pytest.MonkeyPatch, there_are: int
) -> None:
    start = threading.Thread.start
    begun: list[threading.Thread] = []
    done: list[tuple[int, bool]] = []

    def start_some(thread: threading.Thread) -> None:
        if "-wait" in thread.name:
            if len(begun) == there_are:
                raise RuntimeError("can't start new thread")
            begun.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)

    def where(number: int) -> tuple[int, bool]:
        return number, "-wait" in threading.current_thread().name

    def work(number: int) -> None:
        done.append(waiting.elsewhere(partial(where, number)))

    tasks.run(lambda: tasks.join([tasks.start(partial(work, number)) for number in range(5)]), "workers")
    assert sorted(done) == [(number, bool(there_are)) for number in range(5)]


def test_what_the_first_task_raises_is_raised_where_it_was_run() -> None:
    def fail() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        tasks.run(fail, "workers")


def test_a_queue_is_waited_for() -> None:
    taken: list[int | None] = []

    def take(queue: tasks.Queue[int | None]) -> None:
        while (item := queue.get()) is not None:
            taken.append(item)

    def main() -> None:
        queue: tasks.Queue[int | None] = tasks.Queue()
        taker = tasks.start(lambda: take(queue))
        for item in (1, 2, None):
            queue.put(item)
        tasks.join([taker])

    tasks.run(main, "workers")
    assert taken == [1, 2]


def test_a_thread_may_run_tasks_again_and_again() -> None:
    before = held()
    for _ in range(20):
        tasks.run(wait_elsewhere_at_once, "workers")
    assert held() == before


def held() -> tuple[int, int]:
    """Threads and open files of this process."""
    return threading.active_count(), len(list(Path("/dev/fd").iterdir()))


def wait_elsewhere_at_once() -> None:
    assert waiting.elsewhere(lambda: True)


def test_a_flag_may_be_set_when_its_tasks_are_long_over() -> None:
    flags: list[waiting.Flag] = []

    def give_up() -> None:
        flags.append(waiting.flag())
        assert not flags[0].wait(0.01)

    tasks.run(give_up, "workers")
    flags[0].set()
    assert flags[0].wait()


def test_as_many_wait_elsewhere_at_once_as_calls_may_be_under_way() -> None:
    all_there = threading.Barrier(MOST_AT_ONCE)

    def meet() -> None:
        waiting.elsewhere(lambda: all_there.wait(LONG))

    tasks.run(lambda: tasks.join([tasks.start(meet) for _ in range(MOST_AT_ONCE)]), "workers")
    assert not all_there.broken
