"""Several legacy applications in one job: each token goes out under its own application's key."""

from __future__ import annotations

import csv
import sqlite3
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.conftest import SetScene
from tests.support import Scene


def number(scene: Scene, key_of: Callable[[int], str]) -> dict[str, str]:
    """Give each row of tokens.csv the consumer key of its number; returns token to key."""
    path = scene.folder / "tokens.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [{**row, "consumer_key": key_of(index)} for index, row in enumerate(csv.DictReader(file))]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return {row["oauth_token"]: row["consumer_key"] for row in rows}


def add_application(scene: Scene) -> str:
    """A second application in the settings, which signs with its private key; returns its consumer key."""
    key = str(scene.credentials["rsa_consumer_key"])
    settings = scene.folder / "migrator.toml"
    settings.write_text(
        settings.read_text("utf-8")
        + f'\n[oauth1.applications.second]\nconsumer_key = "{key}"\nsignature_method = "RSA-SHA1"\n'
        f'private_key_file = "{scene.credentials["rsa_private_key_file"]}"\n',
        "utf-8",
    )
    return key


def signed_by(scene: Scene) -> dict[str, set[str]]:
    """Token to the applications that calls with it were signed by, as the sandbox has verified."""
    used = defaultdict(set)
    with closing(sqlite3.connect(scene.folder.parent / "sandbox.db")) as db:
        for token, key in db.execute("SELECT token, consumer_key FROM nonces"):
            used[token].add(key)
    return dict(used)


@pytest.fixture
def scene(set_scene: SetScene) -> Scene:
    return set_scene(12, mix="partner=1", expired=0.5)


def test_each_token_is_signed_for_by_its_own_application(scene: Scene) -> None:
    second = add_application(scene)
    first = str(scene.credentials["consumer_key"])
    given = number(scene, lambda index: ("", first, second)[index % 3])
    finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 0, finished.stderr
    assert scene.states() == {"migrated": 12}
    used = signed_by(scene)
    assert {token: used[token] for token in given} == {token: {key or first} for token, key in given.items()}
    assert sorted(scene.query("SELECT consumer_key, count(*) FROM connections GROUP BY 1")) == sorted(
        [("", 4), (first, 4), (second, 4)]
    )
    assert scene.migrator("verify").returncode == 0
    assert scene.migrator("run", "tokens.csv").returncode == 0
    assert scene.query("SELECT known, accepted FROM runs ORDER BY id DESC LIMIT 1") == [(12, 0)]


def test_a_row_of_an_application_that_is_not_configured_is_rejected_and_stops_nothing(scene: Scene) -> None:
    number(scene, lambda index: "HUSH7unknown" if index < 2 else "")
    scene.environment["MIGRATOR_CONSUMER_SECRET"] = scene.environment["MIGRATOR_CLIENT_SECRET"] = ""
    planned = scene.migrator("run", "tokens.csv", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "[oauth1.applications.NAME]" in planned.stdout
    del scene.environment["MIGRATOR_CONSUMER_SECRET"], scene.environment["MIGRATOR_CLIENT_SECRET"]
    finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 0, finished.stderr
    assert scene.states() == {"migrated": 10}
    assert scene.query("SELECT line, reason FROM rejects") == [
        (2, "unknown_consumer_key"),
        (3, "unknown_consumer_key"),
    ]
    assert "HUSH7" not in planned.stdout + planned.stderr + finished.stdout + finished.stderr


def test_an_application_that_is_gone_from_the_settings_stops_a_job_before_its_first_call(
    scene: Scene,
) -> None:
    settings = scene.folder / "migrator.toml"
    before = settings.read_text("utf-8")
    second = add_application(scene)
    with_both = settings.read_text("utf-8")
    number(scene, lambda index: second if index < 5 else "")
    scene.migrator("run", "tokens.csv", "--limit", "1")
    calls = scene.query("SELECT count(*) FROM attempts")
    settings.write_text(before, "utf-8")
    for command in ("resume", "verify", "reconsent serve --public-url http://127.0.0.1:8766"):
        refused = scene.migrator(*command.split())
        assert refused.returncode == 2, refused.stderr
        assert f"{second} (5 connections)" in refused.stderr
        assert "[oauth1.applications.NAME]" in refused.stderr
    assert scene.query("SELECT count(*) FROM attempts") == calls
    assert scene.query("SELECT DISTINCT command FROM runs") == [("run",)], "nothing has begun"
    settings.write_text(with_both, "utf-8")
    assert scene.migrator("resume").returncode == 0
    assert scene.states() == {"migrated": 12}
