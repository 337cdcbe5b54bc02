"""PyTumblr, Tumblr's own client, unmodified: it knows OAuth 1.0a alone, and takes the host as an argument."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytumblr import TumblrRestClient

from tests.sandbox.application import Row
from tests.sandbox.handed_over import pairs_of
from tests.sandbox.tumblr.support import TumblrClient, name


def legacy(client: TumblrClient, row: Row, **changes: str) -> Any:
    """PyTumblr with a row's legacy token."""
    arguments = {
        "consumer_key": client.known["consumer_key"],
        "consumer_secret": client.known["consumer_secret"],
        "oauth_token": row["oauth_token"],
        "oauth_secret": row["oauth_token_secret"],
    }
    return TumblrRestClient(**{**arguments, **changes}, host=client.base_url)


def refused(answer: dict[str, Any]) -> None:
    """Fails unless the answer is Tumblr's envelope about an authentication that failed."""
    assert answer["meta"] == {"status": 401, "msg": "Unauthorized"}
    assert answer["errors"][0]["code"] == 1016


def test_the_legacy_token_before_the_swap_and_after_it(client: TumblrClient, row: Row) -> None:
    known = legacy(client, row)
    before = known.info()["user"]["name"]
    assert known.info()["user"]["name"] == before
    access_token = client.exchange(row).json()["access_token"]
    refused(known.info())
    assert name(client.info(access_token)) == before


@pytest.mark.parametrize("changed", ["consumer_key", "consumer_secret", "oauth_token", "oauth_secret"])
def test_a_wrong_key_token_or_secret(client: TumblrClient, row: Row, changed: str) -> None:
    refused(legacy(client, row, **{changed: "wrong"}).info())
    assert legacy(client, row).info()["user"]["name"]


def test_the_legacy_token_that_migrator_swapped(client: TumblrClient, row: Row, tmp_path: Path) -> None:
    known = legacy(client, row)
    before = known.info()["user"]["name"]
    (pair,) = pairs_of("tumblr", client, [row], tmp_path)
    refused(known.info())
    assert name(client.info(pair["access_token"])) == before
