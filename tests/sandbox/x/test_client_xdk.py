"""X's own SDK, unmodified, with legacy tokens and with pairs. It takes the host as an argument.

To import it takes two seconds, which is for those who run these tests, not for all that collect them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from oauthlib.oauth2 import OAuth2Error
from requests import HTTPError

from tests.sandbox.application import Row
from tests.sandbox.handed_over import pairs_of
from tests.sandbox.x.support import XClient

HOURS = 3600

Legacy = Callable[[Row], Any]
WithPair = Callable[[Mapping[str, Any]], Any]


@pytest.fixture
def legacy(client: XClient) -> Iterator[Legacy]:
    """Makes SDK's clients that sign with a row's legacy token."""
    from xdk import Client
    from xdk.oauth1_auth import OAuth1

    with ExitStack() as stack:

        def new(row: Row) -> Any:
            auth = OAuth1(
                api_key=client.known["consumer_key"],
                api_secret=client.known["consumer_secret"],
                callback=client.known["redirect_uris"][0],
                access_token=row["oauth_token"],
                access_token_secret=row["oauth_token_secret"],
            )
            sdk = Client(base_url=client.base_url, auth=auth)
            stack.enter_context(closing(sdk.session))
            return sdk

        yield new


@pytest.fixture
def with_pair(client: XClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[WithPair]:
    """Makes SDK's clients of the confidential client that hold a pair."""
    from xdk import Client

    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the library below wants TLS, even in tests
    with ExitStack() as stack:

        def new(pair: Mapping[str, Any]) -> Any:
            sdk = Client(
                base_url=client.base_url,
                client_id=client.known["client_id"],
                client_secret=client.known["client_secret"],
                token=dict(pair),
            )
            stack.enter_context(closing(sdk.session))
            stack.enter_context(closing(sdk.oauth2_session))
            return sdk

        yield new


def own(pair: Mapping[str, Any], *, expires_in: float = 2 * HOURS) -> dict[str, Any]:
    """A pair in the SDK's own shape."""
    return {
        "access_token": pair["access_token"],
        "refresh_token": pair["refresh_token"],
        "token_type": "bearer",
        "expires_at": time.time() + expires_in,
    }


def user(sdk: Any) -> tuple[str, str]:
    """Id and username of the user whom the SDK's client speaks for."""
    data = sdk.users.get_me().data
    return data.id, data.username


def test_the_legacy_token_lives_on(client: XClient, legacy: Legacy, with_pair: WithPair, row: Row) -> None:
    before = user(legacy(row))
    assert before[0] == row["oauth_token"].partition("-")[0]
    pair = client.exchange(row).json()
    assert user(with_pair(own(pair))) == before
    assert user(legacy(row)) == before


def test_a_wrong_legacy_secret(legacy: Legacy, row: Row) -> None:
    with pytest.raises(HTTPError, match="401"):
        user(legacy({**row, "oauth_token_secret": "wrong"}))


def test_refreshes(client: XClient, with_pair: WithPair, row: Row) -> None:
    pair = client.exchange(row).json()
    sdk = with_pair(own(pair))
    before = user(sdk)
    for _ in range(2):
        sdk.refresh_token()
        assert user(sdk) == before
    assert not sdk.is_token_expired()
    with pytest.raises(OAuth2Error):
        with_pair(own(pair)).refresh_token()


def test_it_refreshes_by_itself_what_is_over(client: XClient, with_pair: WithPair, row: Row) -> None:
    pair = client.exchange(row).json()
    client.advance(2 * HOURS + 1)
    with pytest.raises(HTTPError, match="401"):
        user(with_pair(own(pair)))
    sdk = with_pair(own(pair, expires_in=-1))
    assert user(sdk)
    assert sdk.access_token != pair["access_token"]


def test_a_newer_exchange_kills_the_pair(client: XClient, with_pair: WithPair, row: Row) -> None:
    first = client.exchange(row).json()
    second = client.exchange(row).json()
    with pytest.raises(HTTPError, match="401"):
        user(with_pair(own(first)))
    with pytest.raises(OAuth2Error):
        with_pair(own(first)).refresh_token()
    assert user(with_pair(own(second)))


def test_a_pair_that_migrator_won(
    client: XClient, legacy: Legacy, with_pair: WithPair, row: Row, tmp_path: Path
) -> None:
    before = user(legacy(row))
    (pair,) = pairs_of("x", client, [row], tmp_path)
    sdk = with_pair(own(pair))
    assert user(sdk) == before
    sdk.refresh_token()
    assert user(sdk) == before
    assert user(legacy(row)) == before
    assert client.stats()["pairs_working"] == 1
