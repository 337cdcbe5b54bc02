"""What consents have won in answers with several things that may be the token."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest

from migrator import sandbox
from tests.ambiguous_answers import (
    answering,
    behind_decoys,
    calls_of,
    changed,
    guessed,
    hold,
    mistaken,
    wait_for_nothing,
)
from tests.consent import test_sandbox
from tests.consent.support import Browser as Plain
from tests.consent.test_sandbox import SandboxCampaign
from tests.engine.test_arrived_pairs import Change, works
from tests.sandbox.browser import Browser
from tests.support import Scene

CONNECTIONS = "/connections"

campaign = test_sandbox.campaign


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


def consent_answered(campaign: SandboxCampaign, changes: list[Change], key: str, tenant: str) -> str:
    """The same where the answer to the code's exchange, and those after it, were changed on their way."""
    with changed(scene_of(campaign), answering(changes)):
        link = campaign.links()[key]
        with campaign.serving():
            return consent(campaign, link, campaign.people[key], tenant)


def test_serve_goes_through_what_may_be_the_refresh_token_while_its_user_waits(
    campaign: SandboxCampaign,
) -> None:
    scene = scene_of(campaign)
    (key, person), *_ = campaign.people.items()
    assert consent_answered(campaign, [behind_decoys(2)], key, person["tenant_id"]) == "Connected"
    refreshes = ["refresh over", "refresh over", "refresh done"]
    assert calls_of(scene) == ["exchange_code done", *refreshes, "verify done"]
    assert works(scene)


def test_a_guess_from_the_answer_to_a_code_shows_that_the_next_one_is_right(
    campaign: SandboxCampaign,
) -> None:
    scene = scene_of(campaign)
    (key, person), *_ = campaign.people.items()
    assert consent_answered(campaign, [guessed, guessed], key, person["tenant_id"]) == "Connected"
    assert calls_of(scene) == ["exchange_code done", "refresh done", "verify done"]
    assert works(scene)


def test_a_user_does_not_wait_for_all_that_may_be_the_refresh_token(campaign: SandboxCampaign) -> None:
    scene = scene_of(campaign)
    (key, person), *_ = campaign.people.items()
    assert consent_answered(campaign, [behind_decoys(3)], key, person["tenant_id"]) == "Almost done"
    assert calls_of(scene) == ["exchange_code done", *["refresh over"] * 3]
    assert campaign.migrator("resume").returncode == 0
    assert campaign.standing(key) == ("migrated", "")
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

    with changed(scene, mangle):
        link = campaign.links()[key]
        with campaign.serving():
            assert consent(campaign, link, person, others["tenant_id"]) == "Please click once more"
            hold(scene, f"access_token={'a' * 40}&refresh_value={'r' * 40}&refresh_key={'k' * 40}".encode())
            assert consent(campaign, link, person, others["tenant_id"]) == "Almost done"
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
    (key, _), (other, others), *_ = campaign.people.items()
    page = consent_answered(campaign, [mistaken], key, others["tenant_id"])
    assert page == "Another organisation was connected"
    assert campaign.standing(other) == ("migrated", "")
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
