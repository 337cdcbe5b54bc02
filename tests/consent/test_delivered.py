"""What users' consents win is with the application at once, where somebody says whereto."""

from __future__ import annotations

import time
from pathlib import Path

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
