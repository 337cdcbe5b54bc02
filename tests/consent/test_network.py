"""A campaign on a machine that reaches the provider only through a proxy, whose network inspects TLS."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from tests.consent.conftest import SetCampaign
from tests.consent.support import Browser, heading, row
from tests.ways_out import PROVIDER, forget_the_way_out, proxying, terminating


def test_codes_are_exchanged_through_the_proxy_and_the_operator_is_told_what_is_missing(
    set_campaign: SetCampaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_the_way_out(monkeypatch)
    campaign, authority = set_campaign([row(1)]), trustme.CA()
    authority.cert_pem.write_to_path(campaign.folder / "ca.pem")
    (tmp_path / "proxy").mkdir()
    with (
        proxying(tmp_path / "proxy") as proxy,
        terminating(campaign.provider.base_url, authority.issue_cert(PROVIDER)) as tls,
    ):
        browser, link = Browser(), campaign.links()["c1"]

        def consent(network: str) -> str:
            campaign.settings(base_url=tls.url)
            with (campaign.folder / "migrator.toml").open("a", encoding="utf-8") as settings:
                settings.write(f"\n[network]\n{network}\n")
            process = campaign.start(verbose=False)
            try:
                # The user's browser has a way of its own.
                authorise = browser.press(link).replace(tls.url, campaign.provider.base_url)
                return heading(browser.follow(browser.allow(authorise, {"tenant-1": "Organisation 1"})))
            finally:
                process.terminate()
                assert campaign.ended(process) == 0, campaign.log()

        assert consent(f'proxy = "{proxy.url}"') != "Connected"
        assert "tls_certificate" in campaign.log()
        assert "network.ca_file" in campaign.log()
        assert campaign.standing("c1") == ("needs_consent", "public_app")
        assert tls.requests == []
        assert consent(f'proxy = "{proxy.url}"\nca_file = "ca.pem"') == "Connected"
        assert campaign.standing("c1") == ("migrated", "")
        assert set(proxy.asked()) == {f"CONNECT {PROVIDER}"}
