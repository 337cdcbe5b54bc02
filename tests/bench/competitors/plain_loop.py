"""One call after the other, each with a connection of its own; what they won is written at the end."""

from __future__ import annotations

import requests
from requests_oauthlib import OAuth1

from tests.bench.competitors.task import STORE, TIMEOUT, Task, values


def main() -> None:
    """Swap everything."""
    task = Task.of_command_line()
    application = task.application
    won = []
    for row in task.rows():
        answer = requests.post(
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
        won.append(values(row, answer.json()))
    with task.open_pairs() as db:
        db.executemany(STORE, won)
    db.close()


if __name__ == "__main__":
    main()
