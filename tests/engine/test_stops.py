"""Stops of every kind: killed, interrupted, locked out, sent away. The ledger stays true, resume goes on."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.conftest import SetScene
from tests.support import PATIENCE, Scene

HANDFUL = 8


def finish(scene: Scene) -> None:
    """Resume until all that can be swapped is swapped."""
    finished = scene.migrator("resume")
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("repeat", ["newest-wins", "keep", "never"])
def test_a_killed_run_is_resumed_and_every_stored_pair_works(set_scene: SetScene, repeat: str) -> None:
    scene = set_scene(150, f"repeat={repeat}", "latency=30ms", mix="partner=80,public=15,private=5")
    scene.stop_at(scene.start("run", "tokens.csv", "--concurrency", "8"), migrated=30)
    assert scene.untrue() == []
    assert scene.states().get("pending", 0) > 0, "it was killed too late to show anything"
    finish(scene)
    assert scene.untrue() == []
    pairs = scene.pairs()
    migrated = [
        tenant for (tenant,) in scene.query("SELECT tenant_id FROM connections WHERE state = 'migrated'")
    ]
    assert len(migrated) > 100
    assert all(scene.refresh_works(pairs[tenant]) for tenant in migrated)
    left = scene.query("SELECT reason FROM connections WHERE app_type = 'partner' AND state <> 'migrated'")
    assert {reason for (reason,) in left} <= {"response_lost"}


def test_what_was_under_way_when_it_was_killed_is_uncertain_and_verified_before_it_counts(
    set_scene: SetScene,
) -> None:
    scene = set_scene(40, "latency=300ms", mix="partner=1", expired=0.0)
    scene.stop_at(scene.start("run", "tokens.csv", "--concurrency", "4"), migrated=4)
    open_calls = {row[0] for row in scene.query("SELECT connection_id FROM attempts WHERE outcome IS NULL")}
    in_flight = {row[0] for row in scene.query("SELECT id FROM connections WHERE state = 'in_flight'")}
    assert open_calls
    assert in_flight == open_calls
    finish(scene)
    verified = {
        row[0] for row in scene.query("SELECT connection_id FROM token_pairs WHERE verified_at IS NOT NULL")
    }
    assert verified == open_calls
    assert scene.states() == {"migrated": 40}
    assert scene.untrue() == []


def test_a_killed_process_leaves_no_lock_behind_and_a_running_one_is_named(set_scene: SetScene) -> None:
    scene = set_scene(60, "latency=200ms", mix="partner=1")
    process = scene.start("run", "tokens.csv", "--concurrency", "2")
    while scene.states().get("migrated", 0) < 2:
        assert process.poll() is None
    calls = scene.query("SELECT count(*) FROM runs")
    refused = scene.migrator("resume")
    assert refused.returncode == 4
    assert f"process {process.pid}" in refused.stderr
    assert scene.query("SELECT count(*) FROM runs") == calls
    process.kill()
    process.communicate()
    assert scene.migrator("resume", "--limit", "1").returncode in (0, 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_finishes_what_is_in_flight_and_says_how_to_go_on(
    set_scene: SetScene, number: signal.Signals
) -> None:
    scene = set_scene(60, "latency=100ms", mix="partner=1")
    process = scene.start("run", "tokens.csv", "--concurrency", "4")
    _, errors = scene.stop_at(process, migrated=6, number=number)
    assert process.returncode == 130
    assert "'migrator resume' goes on" in errors
    assert scene.query("SELECT count(*) FROM attempts WHERE outcome IS NULL") == [(0,)]
    assert set(scene.states()) == {"migrated", "pending"}
    assert scene.status()["last_run"]["outcome"] == "interrupted"
    finish(scene)
    assert scene.states() == {"migrated": 60}
    assert scene.sandbox.stats()["swapped_twice"] == 0


def test_a_second_interrupt_leaves_at_once_and_the_ledger_stays_true(set_scene: SetScene) -> None:
    scene = set_scene(40, "latency=3000ms", mix="partner=1", expired=0.0, timeout=20.0, patience=80.0)
    process = scene.start("run", "tokens.csv", "--concurrency", "1")
    while not (scene.ledger.is_file() and scene.states().get("in_flight")):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "Ctrl-C again" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert scene.states()["in_flight"] == 1
    assert scene.untrue() == []


def test_a_wrong_consumer_secret_stops_the_job_after_a_handful_of_calls(set_scene: SetScene) -> None:
    scene = set_scene(40, mix="partner=1", expired=0.0)
    scene.environment["MIGRATOR_CONSUMER_SECRET"] = "not the secret"
    finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3
    assert "signature_invalid" in finished.stderr
    assert "consumer secret" in finished.stderr
    assert scene.sandbox.stats()["requests"] == {"401": 5}
    assert scene.states() == {"pending": 40}
    del scene.environment["MIGRATOR_CONSUMER_SECRET"]
    finish(scene)
    assert scene.states() == {"migrated": 40}


@pytest.mark.parametrize("limit", ["1", "4"])
def test_a_wrong_consumer_secret_condemns_nobody_however_few_there_are(
    set_scene: SetScene, limit: str
) -> None:
    scene = set_scene(6, mix="partner=1", expired=0.0)
    scene.environment["MIGRATOR_CONSUMER_SECRET"] = "not the secret"
    assert scene.migrator("run", "tokens.csv", "--limit", limit).returncode == 3
    assert scene.states() == {"pending": 6}


@pytest.mark.parametrize("expired", [0.0, 1.0])
def test_a_wrong_client_secret_stops_the_job_at_once(set_scene: SetScene, expired: float) -> None:
    scene = set_scene(40, "latency=100ms", mix="partner=1", expired=expired, timeout=5.0, patience=20.0)
    scene.environment["MIGRATOR_CLIENT_SECRET"] = "not the secret"
    finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3
    assert "invalid_client" in finished.stderr
    assert sum(scene.sandbox.stats()["requests"].values()) <= HANDFUL
    assert scene.states() == {"pending": 40}


def test_a_clock_that_is_off_stops_the_job(set_scene: SetScene) -> None:
    scene = set_scene(40, "clock-skew=1h", mix="partner=1", expired=0.0)
    finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3
    assert "timestamp_refused" in finished.stderr
    assert re.search(r"it is 3(59\d|60\d) s behind the provider's", finished.stderr), finished.stderr
    assert sum(scene.sandbox.stats()["requests"].values()) <= HANDFUL
    assert scene.states() == {"pending": 40}


def test_another_key_is_refused_before_anything_is_sent(set_scene: SetScene) -> None:
    scene = set_scene(20, mix="partner=1")
    scene.migrator("run", "tokens.csv", "--limit", "5")
    calls = scene.sandbox.stats()["requests"]
    (scene.folder / "migration.db.key").unlink()
    missing = scene.migrator("resume")
    assert (missing.returncode, "is missing" in missing.stderr) == (2, True)
    scene.environment["MIGRATOR_LEDGER_KEY"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    wrong = scene.migrator("run", "tokens.csv")
    assert (wrong.returncode, "was made with key" in wrong.stderr) == (2, True)
    assert scene.sandbox.stats()["requests"] == calls


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "nowhere.csv"], "nowhere.csv"),
        (["run", "."], "."),
        (["run", "headerless.csv"], "headerless.csv"),
        (["run", "binary.csv"], "binary.csv"),
        (["run"], "TOKENS"),
        (["resume"], "migration.db"),
        (["status"], "migration.db"),
        (["report", "-o", "x.pdf"], ".html"),
        (["--config", "other.toml", "run", "tokens.csv"], "other.toml"),
        (["run", "tokens.csv", "--rate", "0"], "--rate"),
        (["-q", "-v", "status"], "-q"),
    ],
)
def test_what_a_user_gets_wrong_is_exit_2_says_where_and_leaves_nothing_behind(
    set_scene: SetScene, arguments: list[str], said: str
) -> None:
    scene = set_scene(5)
    (scene.folder / "headerless.csv").write_text("a,b\nc,d\n", "utf-8")
    (scene.folder / "binary.csv").write_bytes(bytes(range(256)))
    before = sorted(path.name for path in scene.folder.iterdir())
    finished = scene.migrator(*arguments)
    assert finished.returncode == 2, finished.stderr
    assert said in finished.stderr
    assert "Traceback" not in finished.stderr
    assert sorted(path.name for path in scene.folder.iterdir()) == before


def test_no_secret_leaves_the_ledger_in_the_clear(set_scene: SetScene) -> None:
    """In no file that the job wrote, no output at -v, no command line: while it runs, and after faults."""
    scene = set_scene(
        60,
        "latency=40ms",
        "drop-response=0.05",
        "http-503=0.05",
        "garbage=0.05",
        mix="partner=1",
        expired=0.3,
    )
    process = scene.start("-v", "--log-file", "job.log", "run", "tokens.csv", "--concurrency", "4")
    while scene.states().get("migrated", 0) < 10:
        assert process.poll() is None
    while_running = files_of_the_job(scene)
    processes = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, check=True).stdout
    printed = "".join(scene.stop_at(process, migrated=30))
    commands = [
        "--log-file job.log resume",
        "status",
        "status --json",
        "reconsent list",
        "reconsent list --csv",
    ]
    commands += [f"report -o r.{ending}" for ending in ("html", "md", "json", "csv")]
    outputs = [scene.migrator("-v", *command.split()) for command in commands]
    printed += "".join(output.stdout + output.stderr for output in outputs)
    secrets = scene.secrets()
    assert len(secrets) > 4 * 60
    haystacks = {
        **while_running,
        **files_of_the_job(scene, suffix=" at the end"),
        "output": printed.encode(),
        "ps": processes,
    }
    assert {"migration.db", "migration.db-wal", "job.log"} <= set(while_running)
    assert b"connection 1: swap: done" in haystacks["output"], "-v says nothing, so its silence shows nothing"
    found = {name for name, content in haystacks.items() for secret in secrets if secret.encode() in content}
    assert found == set()


def files_of_the_job(scene: Scene, suffix: str = "") -> dict[str, bytes]:
    """Everything in the folder but what holds secrets on purpose: input, secret files, the key."""
    given = {"tokens.csv", "consumer_secret", "client_secret", "migration.db.key"}
    return {
        path.name + suffix: path.read_bytes() for path in scene.folder.iterdir() if path.name not in given
    }


def test_what_the_job_writes_is_for_its_owner_alone(set_scene: SetScene) -> None:
    scene = set_scene(20, "latency=50ms")
    process = scene.start("--log-file", "job.log", "run", "tokens.csv", "--concurrency", "1")
    while scene.states().get("migrated", 0) < 3:
        assert process.poll() is None
    modes = {
        path.name: path.stat().st_mode & 0o777
        for path in scene.folder.iterdir()
        if re.match("migration|job", path.name)
    }
    process.kill()
    process.communicate()
    assert set(modes) >= {
        "migration.db",
        "migration.db-wal",
        "migration.db.key",
        "migration.db.lock",
        "job.log",
    }
    assert set(modes.values()) == {0o600}


def test_a_crash_dumps_no_core(set_scene: SetScene) -> None:
    scene = set_scene(10, "latency=200ms", mix="partner=1")
    process = scene.start("run", "tokens.csv", "--concurrency", "1")
    while not scene.states().get("migrated"):
        assert process.poll() is None
    limits = Path(f"/proc/{process.pid}/limits").read_text("ascii")
    process.kill()
    process.communicate()
    assert re.search(r"Max core file size\s+0\s+0\s", limits)


def test_a_token_secret_wrong_in_one_row_fails_that_row_alone(set_scene: SetScene) -> None:
    scene = set_scene(10, mix="partner=1", expired=0.0)
    path = scene.folder / "tokens.csv"
    lines = path.read_text("utf-8").splitlines()
    at = lines[0].split(",").index("oauth_token_secret")
    cells = lines[1].split(",")
    cells[at] = "WRONG"
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n", "utf-8")
    finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 1
    assert scene.query("SELECT id, reason FROM connections WHERE state = 'failed'") == [
        (1, "signature_invalid")
    ]
    assert scene.states() == {"failed": 1, "migrated": 9}
    assert scene.migrator("resume").returncode == 1
    again = scene.migrator("resume", "--retry-failed")
    assert again.returncode == 3, "nobody is left to show that it is this connection's fault alone"
    assert scene.states() == {"pending": 1, "migrated": 9}
