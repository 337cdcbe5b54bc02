"""The scopes of an exchange: what the legacy token may do, never more, and always a refresh token."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.sandbox import adopt_tokens, issue_tokens
from migrator.sandbox.x.scopes import Permission, granted
from tests.sandbox.application import Row
from tests.sandbox.x.support import XClient, error

READ = {
    *("tweet.read", "users.read", "follows.read", "mute.read", "block.read", "list.read", "like.read"),
    *("timeline.read", "broadcast.read", "offline.access"),
}
WRITE = (
    "tweet.write tweet.moderate.write follows.write like.write list.write mute.write block.write"
    " media.write broadcast.write"
)


@pytest.mark.parametrize(
    ("permission", "more"),
    [
        ("read", ""),
        ("read write", WRITE),
        ("read messages", "dm.read dm.write"),
        ("read email", "users.email"),
        ("read ads-read", "ads.read"),
        ("read ads-write", "ads.read ads.write"),
    ],
)
def test_scopes_follow_the_permission(permission: str, more: str) -> None:
    scope = granted(permission, "")
    assert scope is not None
    assert set(scope.split()) == READ | set(more.split())


permissions = st.lists(st.sampled_from(list(Permission)), unique=True).map(" ".join)
scopes = st.sampled_from(
    [*sorted(READ), "dm.read", "ads.write", "tweet.write", "bookmark.read", "space.read"]
)


@given(permissions, st.lists(scopes, min_size=1))
def test_never_more_than_allowed_and_what_was_asked_for(permission: str, asked: list[str]) -> None:
    allowed = set((granted(permission, "") or "").split())
    scope = granted(permission, " ".join(asked))
    if set(asked) <= allowed:
        assert scope is not None
        assert set(scope.split()) == {*asked, "offline.access"}
    else:
        assert scope is None


def test_a_narrower_scope_lasts(client: XClient, row: Row) -> None:
    pair = client.exchange(row, {"scope": "users.read tweet.read"}).json()
    assert set(pair["scope"].split()) == {"users.read", "tweet.read", "offline.access"}
    refreshed = client.refresh(pair["refresh_token"]).json()
    assert refreshed["scope"] == pair["scope"]
    asked = {"grant_type": "refresh_token", "refresh_token": refreshed["refresh_token"]}
    assert error(client.token({**asked, "scope": "tweet.read dm.read"})) == (400, "invalid_scope")
    assert client.token({**asked, "scope": "tweet.read"}).json()["scope"] == "tweet.read"


def test_issued_tokens_are_allowed_various_things(client: XClient, state: Path) -> None:
    rows = list(issue_tokens(state, 60, seed=1))
    granted_scopes = {client.exchange(row).json()["scope"] for row in rows}
    assert {len(scope.split()) for scope in granted_scopes} >= {10, 19}
    assert any("dm.write" in scope for scope in granted_scopes)


def test_an_adopted_token_may_read_and_write(client: XClient, state: Path) -> None:
    adopted = {"oauth_token": "12-Abc", "oauth_token_secret": "s"}
    assert adopt_tokens(state, [adopted]) == 1
    assert len(client.exchange(adopted).json()["scope"].split()) == 19
    assert error(client.exchange(adopted, {"scope": "dm.read"})) == (400, "invalid_scope")
