"""Answers with several things that may be the token: each is used before it counts, none for ever, and a pair
that works is not given up for one of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from migrator import ledger as ledgers
from migrator import sandbox
from migrator.models import Action
from migrator.sandbox.issuing import client_files
from tests.conftest import SetScene
from tests.consent import test_sandbox
from tests.consent.support import Browser as Plain
from tests.consent.test_sandbox import SandboxCampaign
from tests.engine.test_arrived_pairs import SWAP, TOKEN, Change, Document, works
from tests.engine.test_misbehaving import RENEW, talk_to
from tests.mangling import Mangle, mangled
from tests.sandbox.browser import Browser
from tests.support import Scene

CONNECTIONS = "/connections"
MANY = 40
"""Calls, after which a job that goes on and on is let go, so that its test ends."""

campaign = test_sandbox.campaign


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


def wait_for_nothing(scene: Scene) -> None:
    """Have nobody wait for a call that may still run: here none does."""
    scene.alter(
        """CREATE TRIGGER wait_for_nothing AFTER UPDATE OF not_before ON connections
           WHEN new.not_before IS NOT NULL
           BEGIN UPDATE connections SET not_before = NULL WHERE id = new.id; END"""
    )


def answering(changes: Sequence[Change], path_of: str = TOKEN) -> Mangle:
    """Apply one change after the other to the good answers of one path; then they stay as they are."""
    left = list(changes)

    def mangle(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        if path not in path_of.split() or status != 200 or not left:
            return status, body
        changed = left.pop(0)(json.loads(body))
        return (500, b"") if changed is None else (200, json.dumps(changed).encode())

    return mangle


def lost(pair: Document) -> None:
    """Nobody knows whether the call took effect."""


def guessed(pair: Document) -> Document:
    """What may be the refresh token is that."""
    return {"access_token": pair["access_token"], "expires_in": 1800, "refresh_value": pair["refresh_token"]}


def rivalled(pair: Document) -> Document:
    """Something else goes before it."""
    return {"refresh_client": decoy(pair, 1), **guessed(pair)}


def mistaken(pair: Document) -> Document:
    """Something else has its name."""
    return {"refresh_token": decoy(pair, 1), **guessed(pair)}


def decoys(number: int) -> Change:
    """The refresh token is not among what may be it: the one that was used is still in force."""
    return lambda pair: {
        "access_token": pair["access_token"],
        "expires_in": 1800,
        **{f"refresh_{one}": decoy(pair, one) for one in range(number)},
    }


def decoy(pair: Document, number: int) -> str:
    return f"Decoy{number}-{pair['refresh_token'][:20]}"


def calls_of(scene: Scene) -> list[str]:
    """What was called for the connection that was last called for, and what came of it, in order."""
    rows = scene.query(
        """SELECT action || ' ' || outcome FROM attempts
           WHERE connection_id = (SELECT connection_id FROM attempts ORDER BY id DESC LIMIT 1) ORDER BY id"""
    )
    return [said for (said,) in rows]


def is_migrated(scene: Scene, number: int) -> bool:
    """Whether so many are, and all that is stored is true and of use."""
    return scene.states().get("migrated") == number and scene.untrue() == [] and works(scene)


# --- nothing is read again for ever ---


def test_wrong_guesses_between_answers_without_an_access_token_do_not_begin_the_tries_anew(
    strict: Scene,
) -> None:
    changes: list[Change] = [
        lambda pair: {key: value for key, value in rivalled(pair).items() if key != "access_token"}
    ]
    with mangled(strict.sandbox.base_url, answering(changes * MANY, f"{SWAP} {TOKEN}")) as url:
        talk_to(strict, url)
        strict.migrator("resume")
    assert strict.states() == {"migrated": 1, "uncertain": 1}
    assert len(calls_of(strict)) < MANY / 2
    talk_to(strict, strict.sandbox.base_url)
    assert strict.migrator("resume").returncode == 0
    assert is_migrated(strict, 2)


def test_a_pair_that_comes_back_into_force_does_not_begin_its_tries_anew(lenient: Scene) -> None:
    with mangled(lenient.sandbox.base_url, answering([decoys(1)] * MANY)) as url:
        talk_to(lenient, url)
        lenient.migrator("refresh", "--all")
    assert lenient.states() == {"uncertain": 1, "pending": 1}
    assert len(calls_of(lenient)) < MANY / 2
    talk_to(lenient, lenient.sandbox.base_url)
    assert lenient.migrator("resume").returncode == 0
    assert is_migrated(lenient, 2)


def test_the_same_refresh_token_is_not_restored_once_it_was_refused(strict: Scene) -> None:
    def without_a_new_one(pair: Document) -> Document:
        return {"access_token": "a" * 40, "token_type": "Bearer", "expires_in": 1800}

    with mangled(strict.sandbox.base_url, answering([without_a_new_one])) as url:
        talk_to(strict, url)
        strict.migrator("refresh", "--all")
    assert calls_of(strict)[1:] == ["refresh done", "verify over", "refresh over", "swap over"]


# --- no guess is believed though another may be meant ---


def test_a_guess_with_a_rival_is_used_before_it_counts_though_the_one_before_it_was_right(
    strict: Scene,
) -> None:
    changes = [guessed, guessed, rivalled]
    with mangled(strict.sandbox.base_url, answering(changes, f"{SWAP} {TOKEN}")) as url:
        talk_to(strict, url)
        finished = strict.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert is_migrated(strict, 2)


def test_a_right_guess_from_a_swap_says_nothing_of_the_answers_to_refreshes(lenient: Scene) -> None:
    changes = [guessed, lost, decoys(1)]
    with mangled(lenient.sandbox.base_url, answering(changes, f"{SWAP} {TOKEN}")) as url:
        talk_to(lenient, url)
        finished = lenient.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert is_migrated(lenient, 2)


def test_a_second_guess_that_was_right_says_nothing_of_the_first_one_of_the_next_answer(
    lenient: Scene,
) -> None:
    with mangled(lenient.sandbox.base_url, answering([rivalled, decoys(1)])) as url:
        talk_to(lenient, url)
        finished = lenient.migrator("refresh", "--all")
    assert finished.returncode == 0, finished.stderr
    assert is_migrated(lenient, 1)


# --- nor is a pair given up that works ---


def test_the_pair_before_two_wrong_guesses_comes_back_into_force(lenient: Scene) -> None:
    with mangled(lenient.sandbox.base_url, answering([decoys(2)])) as url:
        talk_to(lenient, url)
        finished = lenient.migrator("refresh", "--all")
    assert finished.returncode == 0, finished.stderr
    refreshes = ["refresh done", "refresh over", "refresh over", "refresh done"]
    assert calls_of(lenient) == ["swap done", *refreshes, "verify done"]
    assert is_migrated(lenient, 1)


def test_what_an_access_token_shows_says_nothing_of_the_refresh_token_beside_it(strict: Scene) -> None:
    with mangled(strict.sandbox.base_url, answering([mistaken], SWAP)) as url:
        talk_to(strict, url)
        assert strict.migrator("resume").returncode == 0
        assert strict.states() == {"migrated": 2}
        finished = strict.migrator("refresh", "--all")
    assert finished.returncode == 0, finished.stderr
    assert is_migrated(strict, 2)


# --- what consents have won ---


def scene_of(campaign: SandboxCampaign) -> Scene:
    return Scene(
        campaign.folder, campaign.sandbox, sandbox.credentials(campaign.folder.parent / "sandbox.db")
    )


def consent(campaign: SandboxCampaign, link: str, person: Mapping[str, str], tenant: str) -> str:
    """Consent, for which a user's browser goes to the provider itself; the heading of the page at the end."""
    browser, plain = Browser(campaign.sandbox.base_url), Plain()
    plain.session = browser.session
    asked = urlsplit(plain.press(link))
    browser.open(f"{campaign.sandbox.base_url}{asked.path}?{asked.query}")
    browser.log_in(person["contact_email"])
    browser.press("allow", tenant)
    return campaign.back(browser)


def test_serve_goes_through_what_may_be_the_refresh_token_while_its_user_waits(
    campaign: SandboxCampaign,
) -> None:
    scene = scene_of(campaign)
    (key, person), *_ = campaign.people.items()

    def thrice(pair: Document) -> Document:
        return {"refresh_a": decoy(pair, 1), "refresh_b": decoy(pair, 2), **guessed(pair)}

    with mangled(campaign.sandbox.base_url, answering([thrice])) as url:
        talk_to(scene, url)
        link = campaign.links()[key]
        with campaign.serving():
            assert consent(campaign, link, person, person["tenant_id"]) == "Connected"
    refreshes = ["refresh over", "refresh over", "refresh done"]
    assert calls_of(scene) == ["exchange_code done", *refreshes, "verify done"]
    assert works(scene)


def test_a_pair_that_works_for_another_organisation_serves_that_and_is_not_given_up_for_older_answers(
    campaign: SandboxCampaign,
) -> None:
    scene = scene_of(campaign)
    (key, person), (other, others), *_ = campaign.people.items()
    assert person["contact_email"] == others["contact_email"], "they are one user's"
    exchanged = answering([lambda _: {"nothing": "here"}])

    def mangle(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        return (503, b"") if path == CONNECTIONS else exchanged(path, status, body)

    with mangled(campaign.sandbox.base_url, mangle) as url:
        talk_to(scene, url)
        link = campaign.links()[key]
        with campaign.serving():
            assert consent(campaign, link, person, others["tenant_id"]) == "Please click once more"
            hold(scene, f"access_token={'a' * 40}&refresh_value={'r' * 40}&refresh_key={'k' * 40}".encode())
            assert consent(campaign, link, person, others["tenant_id"]) == "Almost done"
    talk_to(scene, campaign.sandbox.base_url)
    wait_for_nothing(scene)
    campaign.alter("UPDATE connections SET not_before = NULL")
    finished = campaign.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert campaign.standing(key) == ("needs_consent", "other_tenant_connected")
    assert campaign.standing(other) == ("migrated", "")
    assert list(scene.pairs()) == [others["tenant_id"]]
    assert works(scene)


@pytest.mark.parametrize("given_up", [False, True])
def test_the_answer_that_a_pair_came_in_goes_with_it_to_the_organisation_that_it_serves(
    campaign: SandboxCampaign, given_up: bool
) -> None:
    scene = scene_of(campaign)
    (key, person), (other, others), *_ = campaign.people.items()
    with mangled(campaign.sandbox.base_url, answering([mistaken])) as url:
        talk_to(scene, url)
        link = campaign.links()[key]
        with campaign.serving():
            page = consent(campaign, link, person, others["tenant_id"])
            assert page == "Another organisation was connected"
    assert campaign.standing(other) == ("migrated", "")
    talk_to(scene, campaign.sandbox.base_url)
    wait_for_nothing(scene)
    if given_up:  # by an older version
        scene.alter("UPDATE token_pairs SET dead_at = obtained_at")
        gone = "UPDATE connections SET state = 'needs_consent', reason = 'grant_revoked' WHERE key = ?"
        scene.alter(gone, other)
    finished = campaign.migrator(*(["resume"] if given_up else ["refresh", "--all"]))
    assert finished.returncode == 0, finished.stderr
    assert campaign.standing(other) == ("migrated", "")
    assert campaign.standing(key) == ("needs_consent", "other_tenant_connected")
    assert list(scene.pairs()) == [others["tenant_id"]]
    assert works(scene)


def test_a_renewed_token_that_is_found_later_is_called_that_and_no_pair(set_scene: SetScene) -> None:
    scene = begun(set_scene(2, mix="partner=1", expired=1.0, patience=4.0))
    bodies: list[bytes] = []

    def mangle(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        bodies.extend([body] * (path == RENEW))
        return status, b"{}"

    with mangled(scene.sandbox.base_url, mangle) as url:
        talk_to(scene, url)
        scene.kill_at("after commit", Action.RENEW, 1, "resume")
    hold(scene, bodies[0])
    talk_to(scene, scene.sandbox.base_url)
    finished = scene.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert "1 answer that was not understood at the time held a renewed token" in finished.stderr
    assert "held a pair" not in finished.stderr
    assert is_migrated(scene, 2)


def hold(scene: Scene, body: bytes) -> None:
    """Have the one answer that was not understood be this one, as if that were this version's doing."""
    with ledgers.open_to_compare(scene.ledger, ledgers.require_key(scene.ledger, {}, None)) as (_, codec):
        sealed = codec.seal_answer(body)
    assert scene.alter("UPDATE attempts SET answer = ? WHERE answer IS NOT NULL", sealed) == 1
