"""The terminal of 'reconsent serve' goes while a user comes back."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.consent.conftest import SetCampaign
from tests.consent.support import PATIENCE, Browser
from tests.terminal import at_terminal


def test_a_terminal_that_goes_lets_a_consent_finish(set_campaign: SetCampaign) -> None:
    campaign = set_campaign(timeout="10.0")
    link = campaign.links()["c1"]
    campaign.provider.delay = 1.5
    serve = ["reconsent", "serve", "--public-url", campaign.url, "--port", str(campaign.port)]
    command = [sys.executable, "-m", "migrator", "-v", *serve]
    with at_terminal(command, campaign.folder, campaign.environment()) as session:
        campaign.await_listening(session.process)
        browser = Browser()
        callback = browser.allow(browser.press(link), {"tenant-1": "Organisation 1"})
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(lambda: browser.get(callback))
            while not campaign.query("SELECT 1 FROM attempts"):
                time.sleep(0.02)
            assert session.hang_up() == 0
            assert coming.result(PATIENCE).headers["Location"] == f"{link}/done"
    assert campaign.standing("c1") == ("migrated", "")
    assert campaign.query("SELECT outcome FROM runs ORDER BY id DESC LIMIT 1") == [("done",)]
