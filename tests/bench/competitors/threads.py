"""Threads with a connection each, and one database with a lock and a commit a swap."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import requests

from tests.bench.competitors.session_loop import swap
from tests.bench.competitors.task import STORE, Row, Task


def main() -> None:
    """Swap everything."""
    task = Task.of_command_line()
    own = threading.local()
    lock = threading.Lock()

    def work(row: Row) -> None:
        if not hasattr(own, "session"):
            own.session = requests.Session()
        pair = swap(task, own.session, row)
        with lock, db:
            db.execute(STORE, pair)

    with closing(task.open_pairs()) as db, ThreadPoolExecutor(task.at_once) as pool:
        for done in [pool.submit(work, row) for row in task.rows()]:
            done.result()


if __name__ == "__main__":
    main()
