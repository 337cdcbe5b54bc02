"""Who waits in a thread holds that up, who waits in a task lets others go on; both are woken alike."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import pytest

from migrator import tasks, waiting

LONG = 60.0
"""Seconds that nothing here takes."""

Runner = Callable[[Callable[[], None]], None]


def in_a_task(work: Callable[[], None]) -> None:
    tasks.run(work, "workers")


def in_a_thread(work: Callable[[], None]) -> None:
    work()


@pytest.fixture(params=[in_a_task, in_a_thread], ids=["task", "thread"])
def run(request: pytest.FixtureRequest) -> Runner:
    runner: Runner = request.param
    return runner


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    with ours, theirs:
        yield ours, theirs


def test_a_flag_is_waited_for_until_another_thread_sets_it(run: Runner) -> None:
    def work() -> None:
        flag = waiting.flag()
        assert not flag.wait(0)
        assert not flag.wait(0.01)
        threading.Timer(0.05, flag.set).start()
        assert flag.wait()

    run(work)


def test_a_flag_that_is_set_already_is_not_waited_for(run: Runner) -> None:
    def work() -> None:
        flag = waiting.flag()
        flag.set()
        assert flag.wait(LONG)
        assert flag.wait(0), "it stays set"

    run(work)


def test_a_flag_that_comes_too_late_wakes_nobody_who_waits_for_something_else() -> None:
    came: list[str] = []

    def work() -> None:
        late, other = waiting.flag(), waiting.flag()
        assert not late.wait(0.01)
        threading.Timer(0.05, late.set).start()

        def set_other() -> None:
            came.append("other")
            other.set()

        threading.Timer(0.15, set_other).start()
        assert other.wait(LONG)
        assert came == ["other"]

    in_a_task(work)
    assert came == ["other"]


def test_an_event_is_waited_for_until_it_is_set_or_the_time_is_over(run: Runner) -> None:
    def work() -> None:
        event = threading.Event()
        assert not waiting.until_set(event, 0.05)
        threading.Timer(0.05, event.set).start()
        assert waiting.until_set(event, LONG)
        assert waiting.until_set(event, 0)

    run(work)


def test_a_socket_is_waited_for_until_it_can_be_read(
    run: Runner, ends: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = ends

    def work() -> None:
        waiting.for_socket(ours, 0.01)
        with pytest.raises(BlockingIOError):
            ours.recv(1)
        threading.Timer(0.2, theirs.send, [b"!"]).start()
        waiting.for_socket(ours, LONG)
        assert ours.recv(1) == b"!"

    run(work)


def test_a_socket_is_waited_for_until_it_can_be_written_to(
    run: Runner, ends: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = ends

    def fill() -> None:
        while True:
            ours.send(b"x" * 65_536)

    def drain() -> None:
        theirs.settimeout(0)
        with suppress(BlockingIOError):
            while True:
                theirs.recv(1 << 20)

    def work() -> None:
        with pytest.raises(BlockingIOError):
            fill()
        reader = threading.Timer(0.2, drain)
        reader.start()
        waiting.for_socket(ours, LONG, writing=True)
        assert ours.send(b"y") == 1
        reader.join()

    run(work)


def test_what_is_done_elsewhere_is_returned_or_raised(run: Runner) -> None:
    def fail() -> None:
        raise KeyError("gone")

    def work() -> None:
        assert waiting.elsewhere(lambda: 7) == 7
        with pytest.raises(KeyError, match="gone"):
            waiting.elsewhere(fail)

    run(work)


def test_a_lock_is_handed_on_in_the_order_in_which_it_was_asked_for() -> None:
    order: list[int] = []
    lock = waiting.Lock()

    def take(number: int) -> None:
        with lock:
            assert lock._held
            waiting.until_set(threading.Event(), 0.01)
            order.append(number)

    def work() -> None:
        tasks.join([tasks.start(partial(take, number)) for number in range(5)])

    in_a_task(work)
    assert order == [0, 1, 2, 3, 4]
    with lock:
        assert order


def test_a_lock_keeps_tasks_and_threads_from_each_other() -> None:
    lock = waiting.Lock()
    inside: list[str] = []
    most: list[int] = []

    def take(name: str) -> None:
        for _ in range(50):
            with lock:
                inside.append(name)
                most.append(len(inside))
                waiting.until_set(threading.Event(), 0.001)
                inside.remove(name)

    thread = threading.Thread(target=take, args=["thread"])
    thread.start()
    in_a_task(lambda: tasks.join([tasks.start(partial(take, name)) for name in ("one", "other")]))
    thread.join()
    assert len(most) == 150
    assert max(most) == 1


def test_who_fails_with_a_lock_lets_go_of_it(run: Runner) -> None:
    lock = waiting.Lock()
    took: list[str] = []

    def work() -> None:
        with pytest.raises(KeyError), lock:
            raise KeyError("gone")
        with lock:
            took.append("again")

    run(work)
    assert took == ["again"]


def test_threads_wait_for_a_lock_too() -> None:
    lock = waiting.Lock()
    took: list[float] = []

    def take() -> None:
        with lock:
            took.append(time.monotonic())

    with lock:
        thread = threading.Thread(target=take)
        thread.start()
        thread.join(0.1)
        left = time.monotonic()
    thread.join()
    assert took[0] >= left
