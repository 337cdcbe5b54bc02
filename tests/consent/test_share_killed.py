"""One pair for several connections, and a kill in the midst of sharing it: all of them have it, or none."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping

import pytest
import requests

from tests.consent.conftest import SetCampaign
from tests.consent.killed_share import GIVING, STEPS, UNDONE
from tests.consent.support import PATIENCE, Browser, Campaign, heading, row

MAIL = "owner@example.com"
ALL = {"tenant-1": "Organisation 1", "tenant-2": "Organisation 2", "tenant-3": "Organisation 3"}
OTHERS = {"tenant-2": "Organisation 2", "tenant-3": "Organisation 3"}

DONE, NEEDS = ("migrated", ""), ("needs_consent", "public_app")
OTHER = ("needs_consent", "other_tenant_connected")


@pytest.fixture
def three(set_campaign: SetCampaign) -> Campaign:
    """Three organisations of one user, who has been invited for each."""
    return set_campaign([row(number, contact_email=MAIL) for number in (1, 2, 3)])


def command(step: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.consent.killed_share", step, "--", *arguments]


def recorded(campaign: Campaign) -> list[tuple[object, ...]]:
    """All that sharing a pair writes."""
    return campaign.query(
        """SELECT c.key, c.state, c.reason, c.served_by, p.id, p.replaced_at, i.finished_at IS NULL, i.outcome
           FROM connections c LEFT JOIN token_pairs p ON p.connection_id = c.id
           JOIN invitations i ON i.connection_id = c.id ORDER BY c.id"""
    )


def standings(campaign: Campaign) -> list[tuple[str, str]]:
    return [campaign.standing(key) for key in ("c1", "c2", "c3")]


def one_pair_serves(campaign: Campaign, owner: str, others: set[str]) -> None:
    """Whether one pair, asked for once, stands for its owner and those others."""
    assert campaign.provider.token_calls == 1
    assert campaign.query("SELECT count(*) FROM token_pairs") == [(1,)]
    assert campaign.query("SELECT c.key FROM token_pairs p JOIN connections c ON c.id = p.connection_id") == [
        (owner,)
    ]
    served = campaign.query("SELECT key FROM connections WHERE served_by IS NOT NULL")
    assert {key for (key,) in served} == others


@pytest.mark.parametrize(
    ("step", "tenants"),
    [(step, ALL) for step in STEPS if step != GIVING] + [(GIVING, OTHERS), ("after the first", OTHERS)],
)
def test_a_job_that_is_killed_while_it_shares_a_pair_has_shared_it_with_all_or_none(
    three: Campaign, step: str, tenants: Mapping[str, str]
) -> None:
    three.provider.connections_fault = "503"
    link = three.links()["c1"]
    with three.serving():
        assert heading(Browser().consent(link, tenants)) == "Almost done"
    three.provider.connections_fault = ""
    three.alter("UPDATE connections SET not_before = NULL")
    before = recorded(three)
    process = subprocess.run(
        command(step, "resume"), cwd=three.folder, env=three.environment(), capture_output=True, check=False
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    if step in (*UNDONE, GIVING):
        assert recorded(three) == before
    finished = three.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert standings(three) == [DONE if tenants is ALL else OTHER, DONE, DONE]
    if tenants is ALL:
        one_pair_serves(three, "c1", {"c2", "c3"})
    else:
        one_pair_serves(three, "c2", {"c3"})


@pytest.mark.parametrize("step", [step for step in STEPS if step != GIVING])
def test_an_application_that_is_killed_while_it_shares_a_pair_has_shared_it_with_all_or_none(
    three: Campaign, step: str
) -> None:
    link = three.links()["c1"]
    serve = ["reconsent", "serve", "--public-url", three.url, "--port", str(three.port)]
    with (
        (three.folder / "serve.log").open("a") as log,
        subprocess.Popen(
            command(step, *serve), cwd=three.folder, env=three.environment(), stderr=log, text=True
        ) as process,
    ):
        three.await_listening(process)
        with pytest.raises(requests.ConnectionError):
            Browser().consent(link, ALL)
        assert process.wait(PATIENCE) == -signal.SIGKILL
    if step in UNDONE:
        assert standings(three)[1:] == [NEEDS, NEEDS]
        assert three.query("SELECT count(*) FROM connections WHERE served_by IS NOT NULL") == [(0,)]
        assert three.query("SELECT count(*) FROM invitations WHERE finished_at IS NULL") == [(3,)]
    else:
        assert standings(three) == [DONE, DONE, DONE]
    three.alter("UPDATE connections SET not_before = NULL")
    finished = three.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert standings(three) == [DONE, DONE, DONE]
    one_pair_serves(three, "c1", {"c2", "c3"})
