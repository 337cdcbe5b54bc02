"""Answers with several things that may be the token: each is used before it counts, none for ever, and a pair
that works is not given up for one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator import sandbox
from migrator.models import Action
from migrator.sandbox.issuing import client_files
from tests.ambiguous_answers import (
    answering,
    before_a_decoy,
    behind_decoys,
    calls_of,
    changed,
    decoys,
    guessed,
    hold,
    lost,
    mistaken,
    wait_for_nothing,
    without,
)
from tests.conftest import SetScene
from tests.engine.test_arrived_pairs import SWAP, TOKEN, Document, works
from tests.engine.test_misbehaving import RENEW
from tests.killed_at import STEPS
from tests.support import Scene

CONNECTIONS = "/connections"
MANY = 40
"""Calls, after which a job that goes on and on is let go, so that its test ends."""


@pytest.fixture
def lenient(tmp_path: Path) -> Iterator[Scene]:
    """Two connections at a provider that takes a used refresh token again, one of them migrated."""
    state = tmp_path / "sandbox.db"
    folder = tmp_path / "scene"
    folder.mkdir()
    rows = sandbox.issue_tokens(state, 2, "partner=1", expired=0.0, seed=7)
    client_files.write_tokens(folder / "tokens.csv", rows)
    with sandbox.running(state, ["repeat=never"], seed=7, refresh_grace=3_600.0) as running:
        credentials = sandbox.credentials(state)
        client_files.write_settings(folder, credentials, running.base_url)
        yield begun(Scene(folder, running, credentials))


@pytest.fixture
def strict(set_scene: SetScene) -> Scene:
    """The same at a provider to which each refresh token serves once."""
    return begun(set_scene(2, "repeat=never", mix="partner=1", expired=0.0, patience=4.0))


def begun(scene: Scene) -> Scene:
    assert scene.migrator("run", "tokens.csv", "--limit", "1").returncode == 0
    assert scene.states() == {"migrated": 1, "pending": 1}
    wait_for_nothing(scene)
    return scene


def is_migrated(scene: Scene, number: int) -> bool:
    """Whether so many are, and all that is stored is true and of use."""
    return scene.states().get("migrated") == number and scene.untrue() == [] and works(scene)


# --- nothing is read again for ever ---


def test_wrong_guesses_between_answers_without_an_access_token_do_not_begin_the_tries_anew(
    strict: Scene,
) -> None:
    changes = [without("access_token", behind_decoys(1))] * MANY
    with changed(strict, answering(changes, f"{SWAP} {TOKEN}")):
        strict.migrator("resume")
    assert strict.states() == {"migrated": 1, "uncertain": 1}
    assert len(calls_of(strict)) < MANY / 2
    assert strict.migrator("resume").returncode == 0
    assert is_migrated(strict, 2)


def test_a_provider_whose_every_answer_has_a_rival_behind_the_right_token_is_not_asked_for_ever(
    strict: Scene,
) -> None:
    changes = [before_a_decoy] * MANY
    with changed(strict, answering(changes, f"{SWAP} {TOKEN}")):
        assert strict.migrator("resume").returncode == 1
    assert strict.states() == {"migrated": 1, "uncertain": 1}
    assert len(calls_of(strict)) < MANY / 2
    assert strict.migrator("resume").returncode == 0
    assert is_migrated(strict, 2)


def test_a_pair_that_comes_back_into_force_does_not_begin_its_tries_anew(lenient: Scene) -> None:
    with changed(lenient, answering([decoys(1)] * MANY)):
        lenient.migrator("refresh", "--all")
    assert lenient.states() == {"uncertain": 1, "pending": 1}
    assert len(calls_of(lenient)) < MANY / 2
    assert lenient.migrator("resume").returncode == 0
    assert is_migrated(lenient, 2)


def test_the_same_refresh_token_is_not_restored_once_it_was_refused(strict: Scene) -> None:
    def without_a_new_one(pair: Document) -> Document:
        return {"access_token": "a" * 40, "token_type": "Bearer", "expires_in": 1800}

    with changed(strict, answering([without_a_new_one])):
        strict.migrator("refresh", "--all")
    assert calls_of(strict)[1:] == ["refresh done", "verify over", "refresh over", "swap over"]


# --- no guess is believed though another may be meant ---


def test_a_guess_with_a_rival_is_used_before_it_counts_though_the_one_before_it_was_right(
    strict: Scene,
) -> None:
    changes = [guessed, guessed, behind_decoys(1)]
    with changed(strict, answering(changes, f"{SWAP} {TOKEN}")):
        finished = strict.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert is_migrated(strict, 2)


def test_a_right_guess_from_a_swap_says_nothing_of_the_answers_to_refreshes(lenient: Scene) -> None:
    changes = [guessed, lost, decoys(1)]
    with changed(lenient, answering(changes, f"{SWAP} {TOKEN}")):
        finished = lenient.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert is_migrated(lenient, 2)


def test_a_second_guess_that_was_right_says_nothing_of_the_first_one_of_the_next_answer(
    lenient: Scene,
) -> None:
    with changed(lenient, answering([behind_decoys(1), decoys(1)])):
        finished = lenient.migrator("refresh", "--all")
    assert finished.returncode == 0, finished.stderr
    assert is_migrated(lenient, 1)


# --- nor is a pair given up that works ---


def test_the_pair_before_two_wrong_guesses_comes_back_into_force(lenient: Scene) -> None:
    with changed(lenient, answering([decoys(2)])):
        finished = lenient.migrator("refresh", "--all")
    assert finished.returncode == 0, finished.stderr
    refreshes = ["refresh done", "refresh over", "refresh over", "refresh done"]
    assert calls_of(lenient) == ["swap done", *refreshes, "verify done"]
    assert is_migrated(lenient, 1)


def test_more_guesses_than_a_run_may_ask_are_left_to_the_next_one(lenient: Scene) -> None:
    with changed(lenient, answering([behind_decoys(6)])):
        assert lenient.migrator("refresh", "--all").returncode == 1
    assert lenient.states() == {"uncertain": 1, "pending": 1}
    assert lenient.migrator("refresh", "--all").returncode == 0
    assert is_migrated(lenient, 1)


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_while_a_second_guess_is_used_costs_nothing(lenient: Scene, step: str) -> None:
    with changed(lenient, answering([behind_decoys(2)])):
        lenient.kill_at(step, Action.REFRESH, 2, "refresh", "--all")
        finished = lenient.migrator("refresh", "--all")
    assert finished.returncode == 0, finished.stderr
    assert is_migrated(lenient, 1)


def test_what_an_access_token_shows_says_nothing_of_the_refresh_token_beside_it(strict: Scene) -> None:
    with changed(strict, answering([mistaken], SWAP)):
        assert strict.migrator("resume").returncode == 0
        assert strict.states() == {"migrated": 2}
        finished = strict.migrator("refresh", "--all")
    assert finished.returncode == 0, finished.stderr
    assert is_migrated(strict, 2)


def test_a_renewed_token_that_is_found_later_is_called_that_and_no_pair(set_scene: SetScene) -> None:
    scene = begun(set_scene(2, mix="partner=1", expired=1.0, patience=4.0))
    bodies: list[bytes] = []

    def mangle(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        bodies.extend([body] * (path == RENEW))
        return status, b"{}"

    with changed(scene, mangle):
        scene.kill_at("after commit", Action.RENEW, 1, "resume")
    hold(scene, bodies[0])
    finished = scene.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert "1 answer that was not understood at the time held a renewed token" in finished.stderr
    assert "held a pair" not in finished.stderr
    assert is_migrated(scene, 2)
