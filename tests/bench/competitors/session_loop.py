"""One call after the other over one connection, and a commit a swap."""

from __future__ import annotations

from contextlib import closing

import requests
from requests_oauthlib import OAuth1

from tests.bench.competitors.task import STORE, TIMEOUT, Row, Task, values


def main() -> None:
    """Swap everything."""
    task = Task.of_command_line()
    with requests.Session() as session, closing(task.open_pairs()) as db:
        for row in task.rows():
            pair = swap(task, session, row)
            with db:
                db.execute(STORE, pair)


def swap(task: Task, session: requests.Session, row: Row) -> tuple[str, ...]:
    """What one token is worth."""
    application = task.application
    answer = session.post(
        task.endpoint,
        params={"tenantType": row["tenant_type"]},
        json=application.body,
        auth=OAuth1(
            application.consumer_key,
            application.consumer_secret,
            row["oauth_token"],
            row["oauth_token_secret"],
        ),
        timeout=TIMEOUT,
    )
    answer.raise_for_status()
    return values(row, answer.json())


if __name__ == "__main__":
    main()
