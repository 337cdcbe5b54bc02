"""Opaque tokens of every kind that providers have, without a provider's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from migrator.sandbox import issue_tokens, stats
from migrator.sandbox.http.messages import Call
from migrator.sandbox.oauth2.authorisation_server import TokenFlaw
from migrator.sandbox.oauth2.opaque import OpaquePair, OpaqueProvider, RefreshFlaw, Terms
from migrator.sandbox.provider import Options
from migrator.sandbox.state import grants
from migrator.sandbox.state.clock import Clock
from migrator.sandbox.state.state_file import State
from migrator.sandbox.state.swaps import Repeat
from tests.sandbox.support import digest

DAY = 86400.0


class Daily(OpaqueProvider):
    """Its refresh token changes about daily."""

    terms = Terms(access_lifetime=3600, refresh_lifetime=100 * DAY, refresh_kept=DAY)
    own_rule = Repeat.KEEP


class Endless(OpaqueProvider):
    """Its access token has no end, and no refresh token."""

    terms = Terms(access_lifetime=None, renewable=False)
    own_rule = Repeat.KEEP


class RefusedError(Exception):
    """An access token does not open anything."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.db"


@pytest.fixture
def state(path: Path) -> Iterator[State]:
    list(issue_tokens(path, 1, provider="x"))
    with closing(State(path)) as opened:
        yield opened


def opened(kind: type[OpaqueProvider], state: State, **options: object) -> OpaqueProvider:
    """A provider on a state."""
    return kind.opened(state, Clock(state), Options(**options))  # type: ignore[arg-type]


def swapped(provider: OpaqueProvider, terms: Terms | None = None, scope: str = "scope") -> OpaquePair:
    """A pair for the only legacy token."""
    with provider.state.writing() as db:
        row = grants.by_token(db, db.execute("SELECT token FROM oauth1_tokens").fetchone()[0])
        assert row is not None
        grant = grants.of_row(row)
        return provider.swap(db, grant, "client", scope, terms)


def refreshed(provider: OpaqueProvider, refresh_token: str, scope: str = "") -> OpaquePair | RefreshFlaw:
    """What a refresh token wins."""
    with provider.state.writing() as db:
        return provider.refresh(db, refresh_token, "client", scope)


def opens(provider: OpaqueProvider, access_token: str) -> TokenFlaw | None:
    """What is wrong with an access token."""
    call = Call("GET", b"/", "h", {"authorization": f"Bearer {access_token}"})

    def refused(flaw: TokenFlaw) -> RefusedError:
        return RefusedError(flaw)

    with provider.state.reading() as db:
        try:
            provider.bearer(db, call, refused)
        except RefusedError as error:
            flaw: TokenFlaw = error.args[0]
            return flaw
    return None


def test_a_refresh_token_that_is_kept_for_a_day(path: Path, state: State) -> None:
    provider = opened(Daily, state)
    first = swapped(provider)
    again = refreshed(provider, first.refresh_token)
    assert isinstance(again, OpaquePair)
    assert again.refresh_token == first.refresh_token
    assert again.access_token != first.access_token
    assert opens(provider, first.access_token) is None
    facts = stats(path)
    assert (facts["pairs_working"], facts["refreshes_issued"]) == (1, 1)
    assert facts["tokens"][0]["refresh_tokens_sha256"] == [digest(first.refresh_token)]
    provider.clock.advance(DAY + 1)
    changed = refreshed(provider, first.refresh_token)
    assert isinstance(changed, OpaquePair)
    assert changed.refresh_token != first.refresh_token
    assert refreshed(provider, first.refresh_token) is RefreshFlaw.DEAD
    assert stats(path)["tokens"][0]["refresh_tokens_sha256"] == [digest(changed.refresh_token)]


def test_a_kept_refresh_token_is_not_used_again_for_a_lost_answer(state: State) -> None:
    provider = opened(Daily, state, refresh_grace=60)
    first = swapped(provider)
    won = [refreshed(provider, first.refresh_token) for _ in range(3)]
    assert [opens(provider, pair.access_token) for pair in won if isinstance(pair, OpaquePair)] == [
        None,
        None,
        None,
    ]


def test_an_access_token_without_end_is_the_whole_pair(path: Path, state: State) -> None:
    provider = opened(Endless, state)
    pair = swapped(provider)
    assert pair.refresh_token == ""
    provider.clock.advance(3650 * DAY)
    assert opens(provider, pair.access_token) is None
    assert opens(provider, "other") is TokenFlaw.UNKNOWN
    assert refreshed(provider, "") is RefreshFlaw.DEAD
    entry = stats(path)["tokens"][0]
    assert (entry["pairs_working"], entry["access_tokens_sha256"]) == (1, [digest(pair.access_token)])
    with provider.state.writing() as db:
        assert not provider.revoke(db, pair.access_token, "another client")
        assert provider.revoke(db, pair.access_token, "client")
        assert not provider.revoke(db, pair.access_token, "client")
    assert opens(provider, pair.access_token) is TokenFlaw.REVOKED
    assert stats(path)["pairs_working"] == 0


def test_one_pair_may_have_terms_of_its_own(state: State) -> None:
    provider = opened(Endless, state)
    pair = swapped(provider, Terms(access_lifetime=60))
    assert pair.refresh_token
    provider.clock.advance(61)
    assert opens(provider, pair.access_token) is TokenFlaw.EXPIRED


def test_no_access_token_is_kept_in_the_clear(path: Path, state: State) -> None:
    pair = swapped(opened(Endless, state))
    state.close()
    assert pair.access_token.encode() not in path.read_bytes()
    assert digest(pair.access_token).encode() in path.read_bytes()


def test_the_rule_is_the_providers_unless_another_is_ordered(state: State) -> None:
    assert opened(Daily, state).repeat is Repeat.KEEP
    assert opened(Daily, state, repeat=Repeat.NEVER).repeat is Repeat.NEVER


def test_a_narrower_scope_lasts_as_long_as_the_access_token(state: State) -> None:
    provider = opened(Daily, state)
    first = swapped(provider, scope="read write")
    assert refreshed(provider, first.refresh_token, "read delete") is RefreshFlaw.SCOPE
    narrow = refreshed(provider, first.refresh_token, "read")
    wide = refreshed(provider, first.refresh_token)
    assert isinstance(narrow, OpaquePair)
    assert isinstance(wide, OpaquePair)
    assert (narrow.scope, wide.scope) == ("read", "read write")
