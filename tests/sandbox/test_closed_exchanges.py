"""The exchange of every provider can be closed, and is closed alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from migrator.sandbox import PROVIDERS, running, stats
from tests.sandbox.x.support import EXCHANGE

CALLS = {
    "xero": ("/oauth/migrate", {}),
    "x": ("/2/oauth2/token", {"grant_type": EXCHANGE}),
    "garmin": ("/partner-gateway/rest/user/token-exchange", {}),
    "tumblr": ("/v2/oauth2/exchange", {}),
    "vimeo": ("/oauth/authorize/vimeo_oauth1", {}),
    "dropbox": ("/2/auth/token/from_oauth1", {}),
    "intuit": ("/v2/oauth2/tokens/migrate", {}),
}
OTHERS = {"xero": "/connect/token", "intuit": "/oauth2/v1/tokens/bearer", "x": "/2/oauth2/token"}
KNOWN_WORDS = {"dropbox": (400, "v1_retired")}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_closed_exchange_says_so(name: str, tmp_path: Path, session: requests.Session) -> None:
    path, form = CALLS[name]
    with running(tmp_path / "s.db", ["exchange=closed"], provider=name) as sandbox:
        answer = session.post(sandbox.base_url + path, data=form)
        assert (answer.status_code, answer.json()["error"]) == KNOWN_WORDS.get(name, (410, "gone"))
        if name in OTHERS:
            assert session.post(sandbox.base_url + OTHERS[name], data={}).status_code in {400, 401}
    assert stats(tmp_path / "s.db")["swaps_issued"] == 0
