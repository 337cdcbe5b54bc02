"""SIGKILLs over whoever delivers, and crashes of the database, while the application refreshes what it has.

In the end the table, the ledger and the provider say the same, connection by connection.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import psycopg
import requests

from migrator.models import Secret
from tests import postgres
from tests.postgres import Database
from tests.support import Scene, fingerprint
from tests.torture.stage import scene

FAULTS = ("drop-response=0.02", "http-503=0.02", "late=0.01:300ms")
_LONGEST_LIFE = 0.6
"""Seconds after its first swap in which somebody is killed."""
_PATIENCE = 20.0
"""Seconds for which a swap is awaited."""
_SHARE_REFRESHED = 10
"""The application refreshes one of so many rows."""


@dataclass(frozen=True)
class DeliveryKills:
    """What came of one run."""

    kills: int
    """Processes that were killed at work: job, and whoever delivers beside it."""
    crashes: int
    """How often the database crashed."""
    rows: int
    refreshed: int
    """Rows that the application refreshed meanwhile."""
    untrue: int
    seconds: float


@dataclass
class Refresher:
    """The application: it refreshes some of its rows as soon as it has them, and keeps what it got."""

    stage: Scene
    database: Database
    dice: random.Random
    latest: dict[str, str] = field(default_factory=dict)
    """Connection to the refresh token that it won last."""
    lost: set[str] = field(default_factory=set)
    """Connections of which nobody has a refresh token any more."""
    over: threading.Event = field(default_factory=threading.Event)

    def serve(self) -> None:
        """Until it is over."""
        while not self.over.wait(0.05):
            with suppress(psycopg.Error):
                for key, token in self.database.execute("SELECT connection_id, refresh_token FROM pairs"):
                    if self.over.is_set():
                        return
                    if crc32(key.encode()) % _SHARE_REFRESHED == 0:
                        self._refresh(key, token)

    def _refresh(self, key: str, token: str) -> None:
        if key in self.latest or key in self.lost:
            return
        client = (self.stage.credentials["client_id"], self.stage.credentials["client_secret"])
        form = {"grant_type": "refresh_token", "refresh_token": token}
        try:
            answer = requests.post(
                f"{self.stage.sandbox.base_url}/connect/token", data=form, auth=client, timeout=10
            )
        except requests.RequestException:
            self.lost.add(key)  # its answer: the row is no more this test's business than the provider's
            return
        if answer.status_code != requests.codes.ok:
            return
        pair = answer.json()
        self.latest[key] = pair["refresh_token"]
        while not self.over.is_set():
            with suppress(psycopg.Error):
                self.database.execute(
                    "UPDATE pairs SET access_token = %s, refresh_token = %s WHERE connection_id = %s",
                    pair["access_token"], pair["refresh_token"], key,
                )  # fmt: skip
                return
            time.sleep(0.05)


def delivered_through_kills(folder: Path, *, count: int, kills: int, seed: int) -> DeliveryKills:
    """Kill job, deliverer and database so often, let all finish, and compare."""
    started, dice = time.monotonic(), random.Random(seed)
    killed = crashes = 0
    with (
        scene(folder, count, "repeat=newest-wins", *FAULTS, seed=seed, timeout=0.5) as stage,
        postgres.mortal() as mortal,
        mortal.server.database() as database,
    ):
        refresher = Refresher(stage, database, dice)
        thread = threading.Thread(target=refresher.serve, daemon=True)
        thread.start()
        url = database.url("pairs")
        while killed + crashes < kills:
            beside = dice.random() < 0.5
            processes = [start_job(stage, kills, *([] if beside else ["--deliver", url]))]
            if beside and stage.states():
                processes.append(stage.start("-q", "deliver", "--follow", "--to", url))
            await_progress(stage, processes[0])
            time.sleep(dice.uniform(0, _LONGEST_LIFE))
            if dice.random() < 0.25:
                mortal.stop_immediately()
                crashes += 1
                time.sleep(dice.uniform(0, 0.5))
                mortal.start()
            for process in processes:
                time.sleep(dice.uniform(0, 0.1))
                process.send_signal(signal.SIGKILL)
                process.communicate()
                killed += process.returncode == -signal.SIGKILL
        finish(stage, url)
        refresher.over.set()
        thread.join()
        found = compare(stage, database, refresher.latest, refresher.lost)
        for line in found[:20]:
            print(line, file=sys.stderr)
        ((rows,),) = database.execute("SELECT count(*) FROM pairs")
        return DeliveryKills(
            killed, crashes, rows, len(refresher.latest), len(found), time.monotonic() - started
        )


def start_job(stage: Scene, kills: int, *arguments: str) -> subprocess.Popen[str]:
    """The job, so slow that it lasts for all the kills."""
    command = ("resume",) if stage.states() else ("run", "tokens.csv")
    ((waiting,),) = stage.query("SELECT count(*) FROM connections") if stage.states() else ((0,),)
    rate = max(300, 60 * waiting // max(1, kills))
    return stage.start("-q", *command, "--rate", str(rate), *arguments)


def await_progress(stage: Scene, process: subprocess.Popen[str]) -> None:
    """Until the job has swapped one more, or has ended, or it takes too long."""
    before, deadline = stage.states().get("migrated", 0), time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if stage.states().get("migrated", 0) > before:
            return
        time.sleep(0.02)


def finish(stage: Scene, url: str) -> None:
    """Let everything come to its end, without kills."""
    for _ in range(40):
        command = ("resume",) if stage.states() else ("run", "tokens.csv")
        if stage.migrator("-q", *command, "--deliver", url).returncode == 0:
            return


def compare(
    stage: Scene, database: Database, latest: dict[str, str], lost: AbstractSet[str] = frozenset()
) -> list[str]:
    """Every statement of the ledger, the table and the provider that another one contradicts."""
    # Of what was handed over the ledger has no more than it handed over.
    theirs = {*latest, *lost}
    found = [line for line in stage.untrue() if line.partition(":")[0] not in theirs]
    held = {one.key: one for one in stage.held()}
    witness = stage.witness()
    rows = dict(database.execute("SELECT connection_id, refresh_token FROM pairs"))
    migrated = {key for key, one in held.items() if one.state == "migrated"}
    found += [f"{key}: migrated, and not in the table" for key in migrated - rows.keys()]
    found += [f"{key}: in the table, and not migrated" for key in rows.keys() - migrated]
    for key in migrated & rows.keys():
        token = fingerprint(Secret(rows[key]))
        works = token in witness[held[key].tenant_id]["refresh_tokens_sha256"]
        if key in latest:
            if rows[key] != latest[key]:
                found.append(f"{key}: the application's own pair was overwritten")
        elif token != held[key].standing:
            found.append(f"{key}: another pair is in the table than in the ledger")
        if not works and key not in lost:
            found.append(f"{key}: the pair in the table does not work")
    (handed,) = stage.query("SELECT count(exported_at) FROM pairs")
    if handed != (len(migrated),):
        found.append(f"{handed[0]} are handed over by the ledger's word, and {len(migrated)} have a pair")
    for what, sql in (
        ("in the outbox", "SELECT count(*) FROM outbox"),
        ("deliveries unfinished", "SELECT count(*) FROM exports WHERE finished_at IS NULL"),
    ):
        ((number,),) = stage.query(sql)
        found += [f"{number} {what}"] if number else []
    ((times,),) = stage.query("SELECT sum(pairs) FROM delivery_times")
    ((written,),) = database.execute("SELECT sum(pairs) FROM migrator_deliveries WHERE arrived")
    if times != written:
        found.append(f"{times} delivered by the ledger's word, {written} by the table's")
    return found
