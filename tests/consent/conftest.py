"""What every test of a campaign may use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.consent.oauth2_provider import OAuth2Provider, served
from tests.consent.support import Campaign, row

SetCampaign = Callable[..., Campaign]


@pytest.fixture
def set_campaign(tmp_path: Path) -> Iterator[SetCampaign]:
    """Sets campaigns: a provider, a ledger whose users must consent, settings that match."""
    with ExitStack() as stack:

        def set_(
            rows: Sequence[Mapping[str, str]] = (row(1), row(2)), path: str = "", **settings: str
        ) -> Campaign:
            provider = stack.enter_context(served(OAuth2Provider("client", "client-secret")))
            folder = tmp_path / "campaign"
            folder.mkdir()
            campaign = Campaign(folder, provider, path=path)
            provider.redirect_uris.add(f"{campaign.url}/callback")
            campaign.settings(**settings)
            campaign.tokens(rows)
            return campaign

        yield set_


@pytest.fixture
def campaign(set_campaign: SetCampaign) -> Campaign:
    return set_campaign()
