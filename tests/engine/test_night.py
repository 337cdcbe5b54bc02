"""What a night does to a job: it is stopped for longer than a call may take, and its terminal goes. The
provider gives each pair once, so that whatever is given up is lost.
"""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import threading
import time

from migrator.wire.http import longest_call
from tests.conftest import SetScene
from tests.engine.test_misbehaving import SWAP, talk_to
from tests.provider import Calls, Reply, misbehaving, of_json, pair
from tests.pseudo_terminal import at_terminal
from tests.support import PATIENCE, Scene

TOKENS = 60


def scene_of(set_scene: SetScene) -> Scene:
    """Eight calls are under way whenever anything happens; a slow machine gives none of them up."""
    return set_scene(
        TOKENS, "repeat=never", "latency=300ms", mix="partner=1", expired=0.0, timeout=4.0, patience=16.0
    )


def begun(scene: Scene, process: subprocess.Popen[str], migrated: int = 10) -> None:
    """Wait until so many are migrated."""
    deadline = time.monotonic() + PATIENCE
    while scene.states().get("migrated", 0) < migrated:
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < deadline, "nothing moves"
        time.sleep(0.01)


def all_migrated(scene: Scene) -> bool:
    """Whether nobody must consent again, says the ledger, and the witness agrees."""
    return scene.states() == {"migrated": TOKENS} and not scene.untrue()


def started(scene: Scene, *arguments: str) -> subprocess.Popen[str]:
    """As a shell starts it: Ctrl-Z stops nothing that has no process group of its own."""
    return subprocess.Popen(
        scene.command(*arguments),
        cwd=scene.folder,
        env=scene.clean_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    )


def stop(process: subprocess.Popen[str], number: int, seconds: float) -> None:
    """Stop it for so long."""
    process.send_signal(number)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    time.sleep(seconds)
    process.send_signal(signal.SIGCONT)


def test_a_stop_for_longer_than_a_call_may_take_loses_nothing(set_scene: SetScene) -> None:
    scene = scene_of(set_scene)
    process = started(scene, "run", "tokens.csv", "--concurrency", "8")
    for migrated, number, seconds in ((10, signal.SIGSTOP, 6.0), (30, signal.SIGTSTP, 1.5)):
        begun(scene, process, migrated)
        stop(process, number, seconds)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert all_migrated(scene), scene.states()
    assert scene.query("SELECT count(*) FROM attempts WHERE outcome <> 'done'") == [(0,)]
    assert re.search(r"this process did not run for \d+ s: calls in flight get that time", said), said


def test_an_answer_that_comes_after_the_stop_is_waited_for(set_scene: SetScene) -> None:
    scene = set_scene(1, mix="partner=1", expired=0.0, timeout=4.0, patience=16.0)
    came, awake = threading.Event(), threading.Event()

    def answer(_: str, calls: Calls) -> Reply:
        came.set()
        assert awake.wait(PATIENCE)
        return pair(len(calls.paths))

    with misbehaving(answer) as (url, calls):
        talk_to(scene, url)
        process = started(scene, "run", "tokens.csv")
        assert came.wait(PATIENCE)
        stop(process, signal.SIGSTOP, 5.0)
        time.sleep(0.3)  # an answer takes its time to come
        awake.set()
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said
        assert len(calls.paths) == 1
    assert scene.states() == {"migrated": 1}


def test_who_waits_for_a_lost_call_waits_for_real_whoever_sets_the_clock(set_scene: SetScene) -> None:
    timeout = 0.5
    scene = set_scene(1, mix="partner=1", expired=0.0, timeout=timeout, patience=4 * timeout)
    with (scene.folder / "tokens.csv").open(encoding="utf-8", newline="") as stream:
        (tenant,) = [row["tenant_id"] for row in csv.DictReader(stream)]
    swaps: list[float] = []

    def answer(path: str, _: Calls) -> Reply:
        if path != SWAP:
            return of_json(200, [{"id": "1", "tenantId": tenant, "tenantType": "ORGANISATION"}])
        swaps.append(time.monotonic())
        return None if len(swaps) == 1 else pair(1)

    with misbehaving(answer) as (url, _):
        talk_to(scene, url)
        finished = scene.warm("tests.clock_set", "3600", "run", "tokens.csv")
    assert finished.returncode == 0, finished.stderr
    assert len(swaps) == 2
    assert swaps[1] - swaps[0] >= 2 * longest_call(timeout), "the first call may have been under way"
    assert finished.stderr.count("this machine's clock was set forward by 1 h") == 1


def test_a_terminal_that_goes_ends_the_job_in_order(set_scene: SetScene) -> None:
    scene = scene_of(set_scene)
    command = scene.command("-v", "run", "tokens.csv", "--concurrency", "8")
    with at_terminal(command, scene.folder, scene.clean_environment()) as session:
        begun(scene, session.process)
        assert session.hang_up() == 130
    assert set(scene.states()) == {"migrated", "pending"}, "what was in flight has been waited for"
    assert scene.query("SELECT outcome FROM runs") == [("interrupted",)]
    assert scene.migrator("resume").returncode == 0
    assert all_migrated(scene), scene.states()


def test_a_reader_that_goes_with_the_terminal_changes_nothing(set_scene: SetScene) -> None:
    # ``migrator run … 2>&1 | tee log``: the terminal takes tee with it, a little later perhaps.
    scene = scene_of(set_scene)
    reader, writer = os.pipe()
    process = subprocess.Popen(
        scene.command("-v", "run", "tokens.csv", "--concurrency", "8"),
        cwd=scene.folder,
        env=scene.clean_environment(),
        stdout=writer,
        stderr=writer,
        text=True,
    )
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as tee:
        begun(scene, process)
        process.send_signal(signal.SIGHUP)
        assert any(line.startswith("ending:") for line in tee)
    assert process.wait(PATIENCE) == 130
    assert set(scene.states()) == {"migrated", "pending"}
    assert scene.migrator("resume").returncode == 0
    assert all_migrated(scene), scene.states()
