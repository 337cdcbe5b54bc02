"""An application that knows nothing of migrator: it polls its table, and uses each pair once it sees it.

``python -m tests.torture.application DATABASE BASE_URL COUNT`` prints, once it has used so many, a line a
connection: its id, and when its pair worked first (epoch seconds).
"""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from zlib import crc32

import psycopg
import requests

_POLL = 0.05
"""Seconds between two looks at the table."""
_AT_ONCE = 8
_CALLED = 4
"""With one pair of so many the provider is called; of the others it is seen that they are in the table."""
_NEW = """
    SELECT connection_id, access_token, generation FROM pairs
    WHERE generation > %s AND NOT connection_id = ANY(%s) ORDER BY generation
"""
_OVERLAP = 5_000_000
"""Microseconds: what was won later may be in the table sooner."""

_here = threading.local()


def works(base_url: str, access_token: str) -> float:
    """When the provider has taken a token, which is asked until it does; epoch seconds."""
    if not hasattr(_here, "session"):
        _here.session = requests.Session()
        _here.session.trust_env = False
    while True:
        answer = _here.session.get(
            f"{base_url}/connections", headers={"Authorization": f"Bearer {access_token}"}, timeout=30
        )
        if answer.status_code == requests.codes.ok:
            return time.time()
        time.sleep(_POLL)


def main(database: str, base_url: str, count: int) -> None:
    """Use pairs until so many have worked."""
    used: dict[str, float] = {}
    recent: dict[str, int] = {}
    newest = 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:

        def use(key: str, access_token: str) -> None:
            if crc32(key.encode()) % _CALLED:  # the sandbox would be what is measured
                used[key] = time.time()
            else:
                used[key] = works(base_url, access_token)

        seen = 0
        while seen < count:
            try:
                with psycopg.connect(database, autocommit=True) as db:
                    while seen < count:
                        floor = newest - _OVERLAP
                        recent = {key: each for key, each in recent.items() if each > floor}
                        for key, access_token, generation in db.execute(_NEW, [floor, list(recent)]):
                            recent[key] = generation
                            newest = max(newest, generation)
                            seen += 1
                            pool.submit(use, key, access_token)
                        time.sleep(_POLL)
            except psycopg.Error:  # there is no table yet
                time.sleep(_POLL)
    for key, moment in used.items():
        print(f"{key} {moment:.6f}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
