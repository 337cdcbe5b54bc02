"""Dropbox's own SDK, unmodified, goes its ways at the sandbox.

It writes to one host, over TLS. The session that it takes as an argument brings that to the sandbox.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from dropbox import Dropbox, create_session
from dropbox.exceptions import ApiError, AuthError, BadInputError, RateLimitError
from requests.adapters import HTTPAdapter

from migrator.sandbox import adopt_tokens
from tests.sandbox.application import Row
from tests.sandbox.dropbox.conftest import Start
from tests.sandbox.dropbox.support import DropboxClient
from tests.sandbox.handed_over import pairs_of

HOST = "https://api.dropboxapi.com"


class ToSandbox(HTTPAdapter):
    """Sends to a sandbox what is meant for another host."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.sandbox = urlsplit(base_url)

    def send(self, request: requests.PreparedRequest, *arguments: Any, **named: Any) -> requests.Response:
        """Send the request, as it is but for scheme, host and port."""
        meant = urlsplit(str(request.url))
        request.url = meant._replace(scheme=self.sandbox.scheme, netloc=self.sandbox.netloc).geturl()
        return super().send(request, *arguments, **named)


class Sdk:
    """Makes the SDK's clients, all of which talk to one sandbox."""

    def __init__(self, client: DropboxClient, session: requests.Session) -> None:
        session.mount(HOST, ToSandbox(client.base_url))
        self.known, self.session = client.known, session

    def of_application(self, **changes: Any) -> Any:
        """A client that speaks for the application alone."""
        arguments = {"app_key": self.known["client_id"], "app_secret": self.known["client_secret"]}
        return Dropbox(session=self.session, **{**arguments, **changes})

    def of_user(self, access_token: str) -> Any:
        """A client that speaks for a user."""
        return Dropbox(access_token, session=self.session)

    def exchange(self, row: Row, **changes: Any) -> str:
        """An access token for a row's legacy one."""
        with pytest.warns(DeprecationWarning, match="from_oauth1"):
            answer = self.of_application(**changes).auth_token_from_oauth1(
                row["oauth_token"], row["oauth_token_secret"]
            )
        token: str = answer.oauth2_token
        return token


@pytest.fixture
def sdk_session() -> Iterator[requests.Session]:
    """A session of the SDK's own."""
    with create_session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def sdk(client: DropboxClient, sdk_session: requests.Session) -> Sdk:
    return Sdk(client, sdk_session)


def test_exchange_account_and_revocation(client: DropboxClient, sdk: Sdk, row: Row) -> None:
    user = sdk.of_user(sdk.exchange(row))
    account = user.users_get_current_account()
    assert (account.email, account.name.display_name) == (row["contact_email"], row["organisation"])
    assert account.account_type.is_basic()
    user.auth_token_revoke()
    with pytest.raises(AuthError) as refused:
        user.users_get_current_account()
    assert refused.value.error.is_invalid_access_token()
    facts = client.stats()
    assert (facts["swaps_issued"], facts["pairs_revoked"]) == (1, 1)


@pytest.mark.parametrize("changed", ["oauth_token", "oauth_token_secret"])
def test_a_wrong_token_is_its_typed_error(sdk: Sdk, row: Row, changed: str) -> None:
    with pytest.raises(ApiError) as refused:
        sdk.exchange({**row, changed: "wrong"})
    assert refused.value.error.is_invalid_oauth1_token_info()


def test_another_apps_token_is_its_typed_error(sdk: Sdk, state: Path, row: Row) -> None:
    other = {**row, "oauth_token": "of-another", "consumer_key": "another"}
    adopt_tokens(state, [other])
    with pytest.raises(ApiError) as refused:
        sdk.exchange(other)
    assert refused.value.error.is_app_id_mismatch()


def test_a_wrong_app_secret_is_bad_input(sdk: Sdk, row: Row) -> None:
    with pytest.raises(BadInputError, match="app key or secret is wrong"):
        sdk.exchange(row, app_secret="wrong")


def test_a_limit_says_when_to_come_again(start: Start, sdk_session: requests.Session, row: Row) -> None:
    sdk = Sdk(start("limit=1/min"), sdk_session)
    sdk.exchange(row)
    with pytest.raises(RateLimitError) as refused:
        sdk.exchange(row, max_retries_on_rate_limit=0)
    assert refused.value.error.reason.is_too_many_requests()
    assert 0 < refused.value.backoff <= 60


def test_a_closed_endpoint_is_bad_input(start: Start, sdk_session: requests.Session, row: Row) -> None:
    with pytest.raises(BadInputError, match="v1_retired"):
        Sdk(start("exchange=closed"), sdk_session).exchange(row)


def test_a_token_that_migrator_won(client: DropboxClient, sdk: Sdk, row: Row, tmp_path: Path) -> None:
    (pair,) = pairs_of("dropbox", client, [row], tmp_path)
    assert not pair["refresh_token"]
    user = sdk.of_user(pair["access_token"])
    assert user.users_get_current_account().email == row["contact_email"]
    user.auth_token_revoke()
    assert client.stats()["pairs_working"] == 0
