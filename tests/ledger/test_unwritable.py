"""A ledger that cannot be written: nothing further is sent, and no answer that arrived is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.ledger import rescued_calls
from migrator.ledger.calls import EndedCall
from migrator.ledger.file.keys import make_key, require_key
from migrator.ledger.file.rescue import RescueFile
from migrator.ledger.file.vault import Vault
from migrator.models import Action
from tests.conftest import SetScene
from tests.support import Finished, Scene


def resume_with_little_room(scene: Scene, kilobytes: int) -> Finished:
    """Resume with several calls at once where the disk is as good as full."""
    return scene.with_little_room(kilobytes, "resume", "--concurrency", "8")


@pytest.fixture
def stuck(set_scene: SetScene) -> Scene:
    """A scene whose job met a full disk while several calls were under way."""
    scene = set_scene(
        120, "latency=300ms", mix="partner=1", timeout=10.0, patience=40.0
    )  # none is to be lost on its way
    scene.migrator("run", "tokens.csv", "--limit", "1")
    finished = resume_with_little_room(scene, kilobytes=200)
    assert finished.returncode == 3, finished.stderr
    assert "could not be written" in finished.stderr
    assert "'migrator resume'" in finished.stderr
    assert "Traceback" not in finished.stderr
    return scene


def test_answers_in_hand_are_rescued_and_taken_in_so_that_nothing_is_asked_twice(stuck: Scene) -> None:
    rescue = stuck.folder / "migration.db.rescue"
    assert rescue.stat().st_mode & 0o777 == 0o600
    open_calls = stuck.query("SELECT count(*) FROM attempts WHERE outcome IS NULL")[0][0]
    assert open_calls > 0, "nothing was under way: the test shows nothing"
    swaps_so_far = stuck.sandbox.stats()["swaps_issued"]
    assert swaps_so_far < 120
    finished = stuck.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert f"{open_calls} answers from the rescue file are in the ledger now" in finished.stderr
    assert stuck.sandbox.stats()["swapped_twice"] == 0
    assert stuck.states() == {"migrated": 120}
    assert stuck.untrue() == []
    assert not rescue.exists()


def test_the_rescue_file_shows_no_secret(stuck: Scene) -> None:
    rescued = (stuck.folder / "migration.db.rescue").read_bytes()
    assert rescued.strip(b"\0"), "it is empty"
    stuck.migrator("resume")
    assert not [secret for secret in stuck.secrets() if secret.encode() in rescued]


def test_no_call_is_sent_without_its_intent_on_disk(stuck: Scene) -> None:
    attempts = stuck.query("SELECT count(*) FROM attempts")[0][0]
    assert sum(stuck.sandbox.stats()["requests"].values()) <= attempts


def test_without_room_for_the_rescue_file_nothing_is_sent(set_scene: SetScene) -> None:
    scene = set_scene(20, mix="partner=1")
    scene.migrator("run", "tokens.csv", "--limit", "1")
    calls = scene.sandbox.stats()["requests"]
    finished = resume_with_little_room(scene, kilobytes=64)
    assert finished.returncode == 3
    assert "no room" in finished.stderr
    assert scene.sandbox.stats()["requests"] == calls


def test_a_read_only_folder_is_exit_3_before_anything_is_sent(set_scene: SetScene) -> None:
    scene = set_scene(5, mix="partner=1")
    finished = scene.migrator("--ledger", "/proc/migration.db", "run", "tokens.csv")
    assert finished.returncode == 3
    assert "/proc/migration.db" in finished.stderr
    assert scene.sandbox.stats()["requests"] == {}


def test_a_rescue_file_that_comes_twice_is_taken_in_once(stuck: Scene) -> None:
    rescue = stuck.folder / "migration.db.rescue"
    content = rescue.read_bytes()
    stuck.migrator("resume")
    before = stuck.query("SELECT id, connection_id, replaced_at FROM token_pairs ORDER BY id")
    rescue.write_bytes(content)
    rescue.chmod(0o600)
    assert stuck.migrator("resume").returncode == 0
    assert stuck.query("SELECT id, connection_id, replaced_at FROM token_pairs ORDER BY id") == before


def test_a_disk_that_is_still_full_at_resume_costs_nothing(stuck: Scene) -> None:
    rescue = stuck.folder / "migration.db.rescue"
    content = rescue.read_bytes()
    states, calls = stuck.states(), stuck.sandbox.stats()["requests"]
    waiting = waiting_in(stuck)
    for _ in range(2):
        finished = resume_with_little_room(stuck, kilobytes=36)
        assert finished.returncode == 3, finished.stderr
        assert "could not be written" in finished.stderr
        assert rescue.read_bytes() == content
        assert stuck.states() == states
    assert stuck.sandbox.stats()["requests"] == calls
    finished = stuck.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert f"{len(waiting)} answers from the rescue file are in the ledger now" in finished.stderr
    assert stuck.sandbox.stats()["swapped_twice"] == 0
    assert stuck.states() == {"migrated": 120}
    assert stuck.untrue() == []


def waiting_in(scene: Scene) -> list[EndedCall]:
    """The answers that wait in the rescue file."""
    key = require_key(scene.ledger, {}, None)
    return list(rescued_calls.waiting(RescueFile(scene.ledger, Vault(key))))


def flipped(line: bytes) -> bytes:
    """One character is another."""
    middle = len(line) // 2
    return line[:middle] + (b"A" if line[middle : middle + 1] != b"A" else b"B") + line[middle + 1 :]


def torn(line: bytes) -> bytes:
    """What a power cut leaves of a line: its beginning."""
    return line[: len(line) // 2]


def junk(line: bytes) -> bytes:
    """Something else altogether."""
    return b"\xff" * len(line)


@pytest.mark.parametrize("damage", [flipped, torn, junk])
def test_a_damaged_line_of_the_rescue_file_costs_no_other(
    stuck: Scene, damage: Callable[[bytes], bytes]
) -> None:
    rescue, damaged = Path(f"{stuck.ledger}.rescue"), Path(f"{stuck.ledger}.rescue.damaged")
    waiting = waiting_in(stuck)
    number = next(number for number, call in enumerate(waiting) if call.verdict.new_pair)
    hit = waiting.pop(number).connection_id
    assert waiting, "one answer alone waits: the test shows nothing"
    lines = rescue.read_bytes().split(b"\n")
    lines[number] = damage(lines[number])
    content = b"\n".join(lines)
    rescue.write_bytes(content)
    stuck.configure(timeout=1.0)  # what is uncertain is asked again once no call can be under way any more
    said = stuck.kill_at("before intent", Action.SWAP, 1, "resume", "--concurrency", "1")
    assert f"{len(waiting)} answers from the rescue file are in the ledger now" in said
    assert "could not be read" in said
    assert damaged.name in said
    assert damaged.read_bytes() == content
    assert damaged.stat().st_mode & 0o777 == 0o600
    states = dict(stuck.query("SELECT id, state FROM connections"))
    assert states[hit] == "uncertain"
    assert [states[call.connection_id] for call in waiting] == [call.verdict.state for call in waiting]
    assert stuck.migrator("resume").returncode == 0
    assert stuck.states() == {"migrated": 120}
    assert stuck.sandbox.stats()["swapped_twice"] == 1
    assert stuck.untrue() == []
    assert damaged.read_bytes() == content


def test_a_second_damaged_rescue_file_does_not_replace_the_first(tmp_path: Path) -> None:
    ledger = tmp_path / "migration.db"
    vault = Vault(make_key(ledger))
    contents = [b"one\n", b"two\n"]
    for content in contents:
        Path(f"{ledger}.rescue").write_bytes(content)
        rescue = RescueFile(ledger, vault)
        assert list(rescued_calls.waiting(rescue)) == []
        rescue.set_aside(1)
        rescue.close()
    assert sorted(kept.read_bytes() for kept in tmp_path.glob("*.damaged*")) == contents
