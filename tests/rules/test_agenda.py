"""What a job does with a connection that has its pair already."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from migrator.models import (
    LIFETIME_ASSUMED,
    SCOPE_MISSING,
    Action,
    LegacyToken,
    Secret,
    Standing,
    State,
    StoredPair,
    TokenPair,
)
from migrator.providers import Later, Over, RenewFirst, Unknown, Won
from migrator.rules.agenda import Agenda, Work
from migrator.rules.next_step import Call, Rest, Wait
from migrator.rules.tenants import OTHER_ACCOUNT, TENANT_MISMATCH
from migrator.rules.terms import Terms
from tests.rules.strategies import FRESH, MINUTE, NOW, TYPED, settled

LATER = NOW + timedelta(hours=1)
PAIR = TokenPair(Secret("a"), Secret("r"), LATER, refresh_expires_at=NOW)
STORED = StoredPair(1, PAIR, obtained_at=NOW - MINUTE)
MIGRATED = replace(FRESH, state=State.MIGRATED, reason="word", pair=STORED)
UPKEEP = (Work.VERIFY, Work.REFRESH_ALL, Work.REFRESH_ENDING)
RESTS = Rest(State.MIGRATED, "word")


def step(work: Work, standing: Standing, terms: Terms = TYPED, now: datetime = NOW) -> Call | Wait | Rest:
    return Agenda(work, upto=1, max_attempts=5, moment=NOW, begun=NOW).step(standing, terms, now)


def with_pair(**said: object) -> Standing:
    return replace(MIGRATED, pair=replace(STORED, **said))  # type: ignore[arg-type]


@pytest.mark.parametrize("reason", ["", LIFETIME_ASSUMED])
def test_the_legacy_token_of_a_stored_pair_is_ended_once(reason: str) -> None:
    right = replace(MIGRATED, reason=reason)
    assert step(Work.DISABLE, right) == Call(Action.DISABLE)
    assert step(Work.DISABLE, replace(right, disabled=True)) == Rest(State.MIGRATED, reason)
    assert step(Work.DISABLE, replace(right, not_before=LATER)) == Wait(LATER)
    handed_over = replace(with_pair(taken=True), reason=reason)
    assert step(Work.DISABLE, handed_over) == Call(Action.DISABLE), "whoever has the pair"


@pytest.mark.parametrize("reason", [SCOPE_MISSING, OTHER_ACCOUNT, TENANT_MISMATCH])
def test_nobodys_legacy_token_is_ended_while_the_pair_is_less_than_it_was(reason: str) -> None:
    found = replace(MIGRATED, reason=reason)
    assert step(Work.DISABLE, found) == Rest(State.MIGRATED, reason)


@pytest.mark.parametrize("state", [state for state in State if state is not State.MIGRATED])
def test_the_legacy_token_of_whatever_is_not_migrated_is_left_alone(state: State) -> None:
    assert step(Work.DISABLE, replace(MIGRATED, state=state)) == Rest(state, "word")


def test_a_legacy_token_that_was_purged_is_not_ended() -> None:
    purged = replace(MIGRATED, reason="", legacy=LegacyToken(Secret("")))
    assert step(Work.DISABLE, purged) == Rest(State.MIGRATED, "")


@pytest.mark.parametrize(
    ("outcome", "disabled"),
    [
        (Over(State.NEEDS_CONSENT, "grant_revoked", "token_rejected", refused=True), True),
        (RenewFirst("token_expired"), True),
        (Over(State.FAILED, "broken", "http_400"), False),
        (Later("http_503"), False),
        (Unknown("timeout"), False),
    ],
)
def test_a_legacy_token_that_is_refused_has_ended_and_its_pair_stands(
    outcome: Over | RenewFirst | Later | Unknown, disabled: bool
) -> None:
    verdict = settled((MIGRATED, Action.DISABLE, outcome))
    assert verdict.disabled is disabled
    assert (verdict.state, verdict.reason, verdict.doubt) == (State.MIGRATED, "word", None)
    assert not verdict.ends_pair
    assert not verdict.pair_expired
    assert verdict.tries == (0 if disabled else 1)
    assert (verdict.not_before is None) is disabled


def test_a_pair_is_verified_that_was_not_seen_to_work_since_the_moment() -> None:
    assert step(Work.VERIFY, MIGRATED) == Call(Action.VERIFY)
    assert step(Work.VERIFY, with_pair(verified_at=NOW - MINUTE)) == Call(Action.VERIFY)
    assert step(Work.VERIFY, with_pair(verified_at=NOW)) == RESTS


def test_an_access_token_that_has_ended_is_refreshed_to_be_verified_but_once() -> None:
    ended = with_pair(pair=replace(PAIR, expires_at=NOW))
    assert step(Work.VERIFY, ended) == Call(Action.REFRESH)
    assert step(Work.VERIFY, ended, replace(TYPED, refreshes=False)) == Call(Action.VERIFY)
    short_lived = with_pair(pair=replace(PAIR, expires_at=NOW), obtained_at=NOW)
    assert step(Work.VERIFY, short_lived) == Call(Action.VERIFY), "it is as new as it gets"


def test_an_ended_access_token_is_left_where_only_others_can_refresh_it() -> None:
    terms = replace(TYPED, refreshes=False)
    ended = with_pair(pair=replace(PAIR, expires_at=NOW - MINUTE))
    assert step(Work.VERIFY_LIVING, ended, terms) == RESTS
    assert step(Work.VERIFY_LIVING, MIGRATED, terms) == Call(Action.VERIFY)
    alone = with_pair(pair=replace(PAIR, expires_at=NOW - MINUTE, refresh_token=Secret("")))
    assert step(Work.VERIFY_LIVING, alone, terms) == Call(Action.VERIFY), "it is all that there is"


def test_a_pair_is_refreshed_that_has_a_refresh_token_and_is_not_the_jobs_own() -> None:
    for work in (Work.REFRESH_ALL, Work.REFRESH_ENDING):
        assert step(work, MIGRATED) == Call(Action.REFRESH)
        assert step(work, with_pair(obtained_at=None)) == Call(Action.REFRESH)
        assert step(work, with_pair(obtained_at=NOW)) == RESTS
        assert step(work, MIGRATED, replace(TYPED, refreshes=False)) == RESTS
        assert step(work, with_pair(pair=replace(PAIR, refresh_token=Secret("")))) == RESTS
    for ends in (NOW + MINUTE, None):
        lasting = with_pair(pair=replace(PAIR, refresh_expires_at=ends))
        assert step(Work.REFRESH_ENDING, lasting) == RESTS
        assert step(Work.REFRESH_ALL, lasting) == Call(Action.REFRESH)


@pytest.mark.parametrize("work", UPKEEP)
def test_whatever_the_upkeep_what_is_uncertain_or_cured_is_settled(work: Work) -> None:
    uncertain = replace(MIGRATED, state=State.UNCERTAIN, doubt=Action.SWAP)
    assert step(work, uncertain) == Call(Action.VERIFY)
    cured = replace(MIGRATED, state=State.PENDING, reason="", pair=None)
    assert step(work, cured) == Call(Action.SWAP)
    assert step(work, replace(MIGRATED, not_before=LATER)) == Wait(LATER)


def test_a_job_that_swaps_leaves_what_is_migrated_alone() -> None:
    assert step(Work.SWAP, MIGRATED) == RESTS


def test_calls_without_a_result_count_until_a_pair_is_seen_to_work() -> None:
    """Else a pair that is refused and refreshed would be asked about for ever."""
    tried = replace(MIGRATED, state=State.UNCERTAIN, doubt=Action.VERIFY, tries=3)
    assert settled((tried, Action.REFRESH, Won(PAIR))).tries == 3
