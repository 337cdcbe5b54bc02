"""What an answer makes of a connection that won nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.models import (
    RESPONSE_LOST,
    UNVERIFIED,
    Action,
    Secret,
    Standing,
    State,
    StoredPair,
    TokenPair,
)
from migrator.providers import (
    RATE_LIMITED,
    Later,
    NoRefreshToken,
    Outcome,
    Over,
    Renewed,
    RenewFirst,
    StopAll,
    Suspect,
)
from tests.rules.strategies import BACKOFF, EFFECTFUL, FRESH, NOW, POLICY, calls, overs, settled, waits, words


@given(calls(overs))
def test_a_refusal_of_the_token_after_doubt_means_that_the_answer_was_lost(
    call: tuple[Standing, Action, Outcome],
) -> None:
    standing, action, outcome = call
    assert isinstance(outcome, Over)
    verdict = settled(call)
    if action in (Action.SWAP, Action.RENEW) and outcome.refused:
        reason = outcome.reason if standing.doubt is None else RESPONSE_LOST
        expected = outcome.state if standing.doubt is None else State.NEEDS_CONSENT
        assert (verdict.state, verdict.reason) == (expected, reason)


@given(calls(overs))
def test_a_refused_refresh_token_shows_that_a_pair_is_dead_a_refused_access_token_does_not(
    call: tuple[Standing, Action, Outcome],
) -> None:
    standing, action, outcome = call
    assert isinstance(outcome, Over)
    verdict = settled(call)
    assert verdict.pair_dead is (action is Action.REFRESH and outcome.refused)
    assert verdict.pair_expired is (action is Action.VERIFY and outcome.refused)
    if verdict.pair_expired:
        assert (verdict.state, verdict.reason) == (State.UNCERTAIN, UNVERIFIED)
    if verdict.pair_dead and standing.doubt in EFFECTFUL:  # a lost call may have won another one
        assert (verdict.state, verdict.reason) == (State.UNCERTAIN, RESPONSE_LOST)
    elif verdict.pair_dead:  # nothing was lost: somebody ended it, and must not be overruled
        assert (verdict.state, verdict.reason) == (State.NEEDS_CONSENT, outcome.reason)


@given(calls())
def test_tries_never_jump_and_what_is_pending_has_some_left(call: tuple[Standing, Action, Outcome]) -> None:
    standing, verdict = call[0], settled(call)
    assert verdict.tries in {0, standing.tries, standing.tries + 1}
    # A connection that was asked to be patient too often is left alone, and is still known to be pending.
    if verdict.state is State.PENDING and not isinstance(call[2], Suspect):
        assert verdict.tries < POLICY.max_attempts or verdict.problem == RATE_LIMITED


@given(calls())
def test_nothing_is_put_off_to_the_past_and_nothing_that_is_over_is_put_off(
    call: tuple[Standing, Action, Outcome],
) -> None:
    verdict = settled(call)
    assert verdict.not_before is None or verdict.not_before >= NOW
    if verdict.state in (State.NEEDS_CONSENT, State.FAILED):
        assert verdict.not_before is None


@given(calls())
def test_what_hits_everybody_is_held_against_nobody(call: tuple[Standing, Action, Outcome]) -> None:
    standing, _, outcome = call
    if isinstance(outcome, StopAll) or (isinstance(outcome, Later) and outcome.scope == "app"):
        verdict = settled(call)
        assert (verdict.state, verdict.doubt) == (standing.state, standing.doubt)
        assert verdict.tries == standing.tries
        # The pace keeps everybody back over a limit; other trouble is looked at again after a while.
        waits = isinstance(outcome, Later) and outcome.problem != RATE_LIMITED
        assert (verdict.not_before is not None) is waits


@given(calls(st.builds(Suspect, words, st.just("hint"))))
def test_a_suspect_lets_others_go_first_and_stands_where_it_stood(
    call: tuple[Standing, Action, Outcome],
) -> None:
    standing, verdict = call[0], settled(call)
    assert (verdict.state, verdict.doubt) == (standing.state, standing.doubt)
    assert verdict.not_before == NOW + BACKOFF
    if standing.state is State.MIGRATED:  # its pair is safe, and its reason is about its tenant
        assert (verdict.tries, verdict.reason) == (standing.tries + 1, standing.reason)
    else:
        assert verdict.tries == standing.tries
        assert verdict.reason, "it is marked, so that a second such answer is known for one"


@given(calls())
def test_only_a_failure_that_keeps_coming_back_is_given_up(call: tuple[Standing, Action, Outcome]) -> None:
    standing, _, outcome = call
    verdict = settled(call)
    if verdict.state is State.FAILED and not isinstance(outcome, Over | NoRefreshToken):
        assert isinstance(outcome, Later | RenewFirst | Renewed)  # a renewal that gave an ended token
        assert standing.tries + 1 >= POLICY.max_attempts


@given(calls(st.builds(RenewFirst, words)))
def test_a_token_that_the_provider_calls_expired_is_renewed_if_it_can_be(
    call: tuple[Standing, Action, Outcome],
) -> None:
    standing, action, _ = call
    verdict = settled(call)
    if action is Action.SWAP and verdict.state in (State.PENDING, State.UNCERTAIN):
        assert verdict.token_expired
        assert standing.legacy.session_handle is not None
    elif action is Action.SWAP and not standing.legacy.session_handle:
        assert (verdict.state, verdict.reason) == (State.NEEDS_CONSENT, "token_rejected") or verdict.problem


def test_an_expired_token_that_cannot_be_renewed_needs_consent() -> None:
    verdict = settled((FRESH, Action.SWAP, RenewFirst("token_expired")))
    assert (verdict.state, verdict.reason) == (State.NEEDS_CONSENT, "token_expired")


@given(calls(st.builds(Later, words, waits.filter(bool))))
def test_a_wait_that_the_provider_names_is_kept(call: tuple[Standing, Action, Outcome]) -> None:
    outcome = call[2]
    assert isinstance(outcome, Later)
    assert outcome.after is not None
    verdict = settled(call)
    if verdict.state is not State.FAILED:
        assert verdict.not_before == NOW + outcome.after


@given(calls(st.builds(Later, st.just("rate_limited"), waits)))
def test_a_limit_is_waited_for_and_never_makes_a_failure(call: tuple[Standing, Action, Outcome]) -> None:
    standing, _, outcome = call
    assert isinstance(outcome, Later)
    verdict = settled(call)
    assert verdict.state is standing.state
    if outcome.scope == "connection":
        assert verdict.tries == standing.tries + 1
        assert verdict.not_before is not None
        assert verdict.not_before >= NOW + timedelta(seconds=1)
    else:
        assert verdict.tries == standing.tries


LAST = POLICY.max_attempts - 1
RENEWABLE = replace(FRESH, legacy=replace(FRESH.legacy, session_handle=Secret("h")))
IN_DOUBT = replace(FRESH, state=State.UNCERTAIN, reason=RESPONSE_LOST, doubt=Action.SWAP)
MIGRATED = replace(
    FRESH, state=State.MIGRATED, pair=StoredPair(1, TokenPair(Secret("P0"), Secret("P0"), NOW))
)
REFUSED = Over(State.NEEDS_CONSENT, "grant_revoked", "token_rejected", refused=True)
BROKEN = Over(State.FAILED, "broken", "http_400")


@pytest.mark.parametrize(
    ("tries", "doubt", "state"),
    [(LAST - 1, None, State.PENDING), (LAST, None, State.FAILED), (LAST, Action.SWAP, State.UNCERTAIN)],
)
def test_a_token_that_stays_expired_fails_at_the_last_try_unless_a_call_was_lost(
    tries: int, doubt: Action | None, state: State
) -> None:
    standing = replace(RENEWABLE, tries=tries, doubt=doubt, state=State.UNCERTAIN if doubt else State.PENDING)
    verdict = settled((standing, Action.SWAP, RenewFirst("token_expired")))
    assert verdict.state is state
    assert verdict.tries == (0 if state is State.FAILED else tries + 1)


@pytest.mark.parametrize(
    ("tries", "doubt", "state"),
    [(LAST - 1, None, State.PENDING), (LAST, None, State.FAILED), (LAST, Action.SWAP, State.UNCERTAIN)],
)
def test_a_provider_in_trouble_fails_a_connection_at_its_last_try_unless_a_call_was_lost(
    tries: int, doubt: Action | None, state: State
) -> None:
    standing = replace(FRESH, tries=tries, doubt=doubt, state=State.UNCERTAIN if doubt else State.PENDING)
    verdict = settled((standing, Action.SWAP, Later("http_503")))
    assert verdict.state is state
    if state is not State.FAILED:
        assert (verdict.tries, verdict.not_before) == (tries + 1, NOW + BACKOFF)


@pytest.mark.parametrize("doubt", [None, Action.SWAP, Action.REFRESH])
def test_a_refused_access_token_keeps_the_doubt_that_there_was(doubt: Action | None) -> None:
    verdict = settled((replace(MIGRATED, doubt=doubt, tries=2), Action.VERIFY, REFUSED))
    assert (verdict.doubt, verdict.tries) == (doubt or Action.VERIFY, 3)
    assert verdict.not_before == NOW + BACKOFF


def test_a_dead_pair_under_doubt_is_asked_for_again_after_a_pause() -> None:
    standing = replace(MIGRATED, state=State.UNCERTAIN, reason=UNVERIFIED, doubt=Action.SWAP, tries=2)
    verdict = settled((standing, Action.REFRESH, REFUSED))
    assert (verdict.state, verdict.tries, verdict.pair_dead) == (State.UNCERTAIN, 3, True)
    assert verdict.not_before == NOW + BACKOFF


@pytest.mark.parametrize(
    ("standing", "state"),
    [(MIGRATED, State.MIGRATED), (IN_DOUBT, State.UNCERTAIN), (FRESH, State.FAILED)],
    ids=["migrated", "in doubt", "fresh"],
)
def test_a_failure_that_is_not_the_tokens_ends_only_what_has_nothing_to_lose(
    standing: Standing, state: State
) -> None:
    verdict = settled((replace(standing, tries=1), Action.SWAP, BROKEN))
    assert verdict.state is state
    if state is not State.FAILED:
        assert (verdict.tries, verdict.not_before) == (2, NOW + BACKOFF)
