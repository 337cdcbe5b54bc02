"""Many calls under way in one thread: tasks, of which each runs until it waits.

What waits in another way than ``migrator.waiting`` offers holds all of them up, with answers that nobody
reads: it belongs into ``waiting.elsewhere``.

With a thread a call, most of a call's processor time goes into switching between threads: they take turns on
Python's one lock, and each is woken several times a call. A task is woken by a function call.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeAlias, TypeVar

import gevent
from gevent import socket as waits
from gevent.queue import SimpleQueue as Queue
from greenlet import greenlet

from migrator import waiting

T = TypeVar("T")

__all__ = ["Queue", "Task", "join", "run", "start"]

Task: TypeAlias = "gevent.Greenlet[[], None]"

_MOST_THREADS = 512
"""For what a task cannot wait for: each call under way may need a connection."""


def run(main: Callable[[], None], name: str) -> None:
    """Run ``main`` as the first task of a thread of this name, until it returns. Raises what it raises.

    Whatever tasks it starts must have ended by then.
    """
    raised: list[BaseException] = []

    def serve() -> None:
        try:
            with closing(_Loop(name)) as loop:
                waiting.run_by(loop)
                main()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the thread was started
            raised.append(error)

    thread = threading.Thread(target=serve, name=name, daemon=True)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def start(task: Callable[[], None]) -> Task:
    """Start another task of this thread. It must not raise."""
    return gevent.spawn(task)


def join(tasks: list[Task]) -> None:
    """Wait until tasks of this thread have ended."""
    gevent.joinall(tasks)


class _Loop:
    """gevent's hub of one thread, and the way in for other threads."""

    def __init__(self, name: str) -> None:
        self.hub = gevent.get_hub()
        self._threads = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix=f"{name}-wait")
        self._has_thread = False
        self._set: deque[_TaskFlag] = deque()
        self._ringing = threading.Lock()
        self._is_closed = False
        # It keeps the hub waiting, though all tasks wait for other threads.
        self._bell = self.hub.loop.async_()
        self._bell.start(self._wake)

    def flag(self) -> waiting.Flag:
        return _TaskFlag(self)

    def sleep(self, seconds: float) -> None:
        gevent.sleep(seconds)

    def wait_for(self, descriptor: int, seconds: float, *, writing: bool) -> None:
        wait = waits.wait_write if writing else waits.wait_read
        try:
            wait(descriptor, timeout=max(seconds, 0))
        except TimeoutError:
            return

    def elsewhere(self, work: Callable[[], T]) -> T:
        done = self.flag()
        future: Future[T] = Future()
        future.add_done_callback(lambda _: done.set())
        left = [work]
        try:
            self._threads.submit(lambda: _do(left, future))
            self._has_thread = True
        except RuntimeError:  # this machine gives no further thread: one that there is does it, or this one
            if not self._has_thread:
                _do(left, future)
        done.wait()
        return future.result()

    def ring(self, flag: _TaskFlag) -> None:
        """From any thread, at any time: a flag is set."""
        with self._ringing:  # who rings must not find the bell gone, though its task has gone on already
            if not self._is_closed:
                self._set.append(flag)
                self._bell.send()

    def _wake(self) -> None:
        while self._set:
            self._set.popleft().go_on()

    def close(self) -> None:
        self._threads.shutdown()
        with self._ringing:
            self._is_closed = True
            self._bell.stop()
        self.hub.destroy(destroy_loop=True)


def _do(left: list[Callable[[], T]], future: Future[T]) -> None:
    """Work that is still left, once."""
    if left:
        try:
            future.set_result(left.pop()())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            future.set_exception(error)


class _TaskFlag:
    __slots__ = ("_is_set", "_loop", "_waiting")

    def __init__(self, loop: _Loop) -> None:
        self._loop = loop
        self._is_set = False
        self._waiting: greenlet | None = None

    def set(self) -> None:
        self._is_set = True
        self._loop.ring(self)

    def wait(self, seconds: float | None = None) -> bool:
        if not self._is_set:
            self._waiting = gevent.getcurrent()
            if seconds is None:
                self._loop.hub.switch()
            else:
                self._wait_for(seconds)
        return self._is_set

    def _wait_for(self, seconds: float) -> None:
        timer = self._loop.hub.loop.timer(seconds)
        timer.start(self.go_on)
        try:
            self._loop.hub.switch()
        finally:
            timer.close()

    def go_on(self) -> None:
        """Let its task go on, in the loop's thread; nothing if that has gone on already."""
        waiting_task, self._waiting = self._waiting, None
        if waiting_task is not None:
            waiting_task.switch()
