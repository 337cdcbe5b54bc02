"""What users' consents win is with the application at once, where somebody says whereto."""

from __future__ import annotations

import time
from pathlib import Path

from migrator.ledger.file import lock
from tests.consent.support import Browser, Campaign, heading
from tests.handover.delivery.receivers import Application

TENANT_1 = {"tenant-1": "Organisation 1"}


def test_a_pair_that_a_user_consented_to_is_delivered(campaign: Campaign, tmp_path: Path) -> None:
    application = Application(tmp_path / "application")
    link = campaign.links()["c1"]
    with campaign.serving("--deliver", application.url):
        assert heading(Browser().consent(link, TENANT_1)) == "Connected"
        while campaign.query("SELECT count(*) FROM outbox") != [(0,)]:
            time.sleep(0.01)
        assert application.taken() == ["c1"]
    assert application.taken() == ["c1"]


def test_where_another_process_delivers_elsewhere_it_says_so_and_ends_its_run(
    campaign: Campaign, tmp_path: Path
) -> None:
    application = Application(tmp_path / "application")
    with lock.deliveries(campaign.ledger, "another table"):
        serve = ("reconsent", "serve", "--public-url", campaign.url, "--port", str(campaign.port))
        ended = campaign.migrator(*serve, "--deliver", application.url)
    assert ended.returncode == 4
    assert ", to another table" in ended.stderr
    outcomes = campaign.query("SELECT outcome FROM runs WHERE command = 'reconsent serve'")
    assert outcomes == [("stopped",)]
