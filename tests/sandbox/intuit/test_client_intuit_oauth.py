"""Intuit's own OAuth client, unmodified but for two constants that say where Intuit is, goes its ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from intuitlib import config
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from intuitlib.migration import migrate

from migrator.sandbox import issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.handed_over import pairs_of
from tests.sandbox.intuit.support import DAY, MIGRATE, IntuitClient, problem

NewClient = Callable[..., Any]


@pytest.fixture
def new_client(client: IntuitClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewClient]:
    """Makes the library's clients: given the sandbox's constants, it finds the rest by itself."""
    discovery = f"{client.base_url}/.well-known/openid_sandbox_configuration/"
    monkeypatch.setitem(config.DISCOVERY_URL, "sandbox", discovery)
    monkeypatch.setitem(config.MIGRATION_URL, "sandbox", client.base_url + MIGRATE)
    with ExitStack() as stack:

        def new(**changes: Any) -> Any:
            known = client.known
            arguments = {
                "client_id": known["client_id"],
                "client_secret": known["client_secret"],
                "redirect_uri": known["redirect_uris"][0],
                "environment": "sandbox",
            }
            return stack.enter_context(AuthClient(**{**arguments, **changes}))

        yield new


def migrated(client: IntuitClient, auth_client: Any, row: Row) -> Any:
    """The library's client with the pair that it migrated a row's token to."""
    known = client.known
    migrate(
        known["consumer_key"],
        known["consumer_secret"],
        row["oauth_token"],
        row["oauth_token_secret"],
        auth_client,
        [Scopes.ACCOUNTING],
    )
    return auth_client


def test_a_migration_and_refreshes(client: IntuitClient, new_client: NewClient, row: Row) -> None:
    auth_client = migrated(client, new_client(), row)
    assert auth_client.realmId == row["tenant_id"]
    assert (auth_client.expires_in, auth_client.x_refresh_token_expires_in) == (3600, 8726400)
    access_tokens, refresh_tokens = [auth_client.access_token], [auth_client.refresh_token]
    for passing in (0, 2 * DAY):
        client.advance(passing)
        auth_client.refresh()
        access_tokens.append(auth_client.access_token)
        refresh_tokens.append(auth_client.refresh_token)
    assert len(set(access_tokens)) == 3
    first, same_day, days_after = refresh_tokens
    assert first == same_day != days_after


def test_a_second_migration_gets_a_bare_500(client: IntuitClient, new_client: NewClient, row: Row) -> None:
    first = migrated(client, new_client(), row)
    with pytest.raises(AuthClientError) as refused:
        migrated(client, new_client(), row)
    assert (refused.value.status_code, refused.value.content) == (500, b"")
    assert refused.value.intuit_tid
    first.refresh()
    assert client.stats()["swaps_issued"] == 1


def test_a_wrong_token_secret(client: IntuitClient, new_client: NewClient, row: Row) -> None:
    with pytest.raises(AuthClientError) as refused:
        migrated(client, new_client(), {**row, "oauth_token_secret": "wrong"})
    assert problem(refused.value.response) == (401, 'OAuth oauth_problem="signature_invalid"')


def test_an_expired_token(client: IntuitClient, new_client: NewClient, state: Path) -> None:
    expired = next(issue_tokens(state, 1, expired=1))
    with pytest.raises(AuthClientError) as refused:
        migrated(client, new_client(), expired)
    assert problem(refused.value.response) == (401, 'OAuth oauth_problem="token_expired"')


def test_a_wrong_client_secret(client: IntuitClient, new_client: NewClient, row: Row) -> None:
    wrong = new_client(client_secret="wrong")
    with pytest.raises(AuthClientError, match="invalid_client"):
        migrated(client, wrong, row)
    pair = migrated(client, new_client(), row)
    with pytest.raises(AuthClientError, match="invalid_client"):
        wrong.refresh(refresh_token=pair.refresh_token)
    pair.refresh()


def test_a_pair_that_migrator_won(
    client: IntuitClient, new_client: NewClient, row: Row, tmp_path: Path
) -> None:
    (pair,) = pairs_of("intuit", client, [row], tmp_path)
    auth_client = new_client(access_token=pair["access_token"], refresh_token=pair["refresh_token"])
    auth_client.refresh()
    assert auth_client.access_token != pair["access_token"]
    assert client.stats()["pairs_working"] == 1
    with pytest.raises(AuthClientError, match="500"):
        migrated(client, auth_client, row)
