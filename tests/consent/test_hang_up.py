"""What a night does to 'reconsent serve' while a user comes back: its terminal goes, or it is stopped."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.consent.conftest import SetCampaign
from tests.consent.support import PATIENCE, Browser, Campaign, until
from tests.pseudo_terminal import at_terminal


def comes_back(campaign: Campaign, link: str, meanwhile: Callable[[], None]) -> str:
    """A user comes back with a code; once that has been sent, something happens. Returns where they go."""
    browser = Browser()
    callback = browser.allow(browser.press(link), {"tenant-1": "Organisation 1"})
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(lambda: browser.get(callback))
        until(lambda: campaign.provider.token_calls == 1)
        meanwhile()
        return coming.result(PATIENCE).headers["Location"]


def test_a_terminal_that_goes_lets_a_consent_finish(set_campaign: SetCampaign) -> None:
    campaign = set_campaign(timeout="10.0")
    link = campaign.links()["c1"]
    campaign.provider.delay = 1.5
    serve = ["reconsent", "serve", "--public-url", campaign.url, "--port", str(campaign.port)]
    command = [sys.executable, "-m", "migrator", "-v", *serve]
    with at_terminal(command, campaign.folder, campaign.environment()) as session:
        campaign.await_listening(session.process)
        ended: list[int] = []
        assert comes_back(campaign, link, lambda: ended.append(session.hang_up())) == f"{link}/done"
    assert ended == [0]
    assert campaign.standing("c1") == ("migrated", "")
    assert campaign.query("SELECT outcome FROM runs ORDER BY id DESC LIMIT 1") == [("done",)]


def test_a_stop_for_longer_than_a_call_may_take_loses_no_consent(set_campaign: SetCampaign) -> None:
    campaign = set_campaign(timeout="2.0")
    link = campaign.links()["c1"]
    campaign.provider.delay = 3.0  # half a second of it after the stop
    with campaign.serving() as process:

        def stop() -> None:
            process.send_signal(signal.SIGSTOP)
            time.sleep(2.5)
            process.send_signal(signal.SIGCONT)

        assert comes_back(campaign, link, stop) == f"{link}/done"
    assert campaign.standing("c1") == ("migrated", "")
    assert campaign.provider.token_calls == 1
