"""What becomes of a call whose process died, and of an answer that is understood later."""

from __future__ import annotations

from dataclasses import replace

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
    TokenPair,
)
from migrator.providers import (
    Outcome,
    Renewed,
    Unknown,
    Won,
)
from migrator.providers.facts import Repeat
from migrator.rules.recovery import READ_AGAIN, died, gives_up, goes_on, read_again, restored
from migrator.rules.terms import Terms
from migrator.rules.verdict import Verdict
from tests.rules.strategies import EFFECTFUL, FRESH, NOW, POLICY, outcomes, settled, standings, token_pairs


@given(standings(), st.sampled_from(EFFECTFUL), outcomes)
def test_an_answer_that_is_understood_later_is_seen_to_work_before_it_counts(
    standing: Standing, action: Action, outcome: Outcome
) -> None:
    verdict = read_again(replace(standing, not_before=NOW), action, outcome)
    match outcome:
        case Won(pair):
            assert verdict is not None
            assert (verdict.state, verdict.reason) == (State.UNCERTAIN, UNVERIFIED)
            assert (verdict.doubt, verdict.not_before) == (standing.doubt or action, NOW)
            assert verdict.new_pair == pair
        case Renewed(legacy):
            assert verdict is not None
            assert (verdict.state, verdict.doubt) == (State.UNCERTAIN, Action.RENEW)
            assert verdict.new_legacy is not None
            assert verdict.new_legacy.token == legacy.token
            assert verdict.not_before == NOW
        case _:
            assert verdict is None
    assert verdict is None or (verdict.outcome, verdict.problem) == ("done", READ_AGAIN)


@given(standings(), st.sampled_from(EFFECTFUL), outcomes, token_pairs)
def test_whoever_finds_another_pair_does_not_give_up(
    standing: Standing, action: Action, outcome: Outcome, pair: TokenPair
) -> None:
    verdict = settled((standing, action, outcome))
    found = read_again(standing, Action.REFRESH, Won(pair))
    assert found is not None
    ended = verdict.state is State.NEEDS_CONSENT or verdict.ends_pair
    if verdict.reason == RESPONSE_LOST and ended and not verdict.pair_verified and not verdict.new_pair:
        assert gives_up(action, verdict)
        assert not gives_up(Action.REVOKE, verdict), "an operator wanted it"
    for other in (goes_on(verdict, found, 3), restored(verdict, 7, 3)):
        assert other.tries == 3, "nobody is asked for on and on"
        assert other.state is State.UNCERTAIN
        assert not other.ends_pair
        assert other.pair_dead == (verdict.pair_dead or other.pair_restored == 7), "it is not tried again"
        assert (other.outcome, other.problem) == (verdict.outcome, verdict.problem), "what the call came to"


@given(st.sampled_from(EFFECTFUL), st.integers(0, 4))
def test_a_call_whose_process_died_is_in_doubt_from_when_it_started(action: Action, tries: int) -> None:
    verdict = died(action, tries, NOW, POLICY)
    assert (verdict.state, verdict.reason, verdict.doubt) == (State.UNCERTAIN, RESPONSE_LOST, action)
    assert verdict.not_before == NOW + POLICY.settle


@given(st.integers(0, 9))
def test_a_code_that_was_under_way_in_a_process_that_died_is_asked_of_its_user_again(tries: int) -> None:
    verdict = died(Action.EXCHANGE_CODE, tries, NOW, POLICY)
    assert (verdict.state, verdict.reason, verdict.doubt) == (State.NEEDS_CONSENT, RESPONSE_LOST, None)


def test_a_pair_that_works_is_not_lost_though_its_user_chose_another_tenant() -> None:
    other = Verdict(
        "done", "", State.NEEDS_CONSENT, "other_tenant_connected", pair_verified=True, pair_set_aside=True
    )
    assert not gives_up(Action.VERIFY, other)
    assert gives_up(
        Action.REFRESH, Verdict("over", "p", State.NEEDS_CONSENT, "grant_revoked", pair_dead=True)
    )
    failed, pair = Verdict("over", "p", State.FAILED, "broken"), TokenPair(Secret("a"), Secret(""), NOW)
    assert gives_up(Action.SWAP, failed)
    assert not gives_up(Action.SWAP, replace(failed, new_pair=pair)), "this very call has brought one"
    assert not gives_up(Action.REVOKE, failed), "it is meant to be"
    assert not gives_up(Action.REFRESH, Verdict("later", "p", State.UNCERTAIN, RESPONSE_LOST))


@pytest.mark.parametrize("repeat", Repeat)
def test_a_swap_that_was_under_way_in_a_process_that_died_is_gone_where_there_is_no_second(
    repeat: Repeat,
) -> None:
    policy = replace(POLICY, terms=Terms(repeat=repeat))
    verdict = died(Action.SWAP, 2, NOW, policy)
    assert (verdict.outcome, verdict.problem, verdict.reason) == ("unknown", "process_died", RESPONSE_LOST)
    if repeat in (Repeat.NEVER, Repeat.ONCE_PER_USER):
        assert (verdict.state, verdict.doubt) == (State.NEEDS_CONSENT, None)
    else:
        assert (verdict.state, verdict.doubt, verdict.tries) == (State.UNCERTAIN, Action.SWAP, 2)
    for action in (Action.RENEW, Action.REFRESH):
        assert died(action, 0, NOW, policy).doubt is action, "only the swap is the token's last"


@pytest.mark.parametrize("doubt", [None, Action.RENEW, Action.EXCHANGE_CODE])
def test_an_answer_that_is_understood_later_does_not_hide_what_else_got_lost(doubt: Action | None) -> None:
    standing = replace(FRESH, state=State.UNCERTAIN if doubt else State.PENDING, doubt=doubt)
    verdict = read_again(standing, Action.SWAP, Won(TokenPair(Secret("a"), Secret("r"), NOW)))
    assert verdict is not None
    assert verdict.doubt is (doubt or Action.SWAP)


@pytest.mark.parametrize("before", [None, Action.SWAP, Action.RENEW, Action.VERIFY])
def test_a_lost_renewal_stays_in_doubt_whatever_is_lost_of_the_swaps_after_it(before: Action | None) -> None:
    left = Action.RENEW if before is Action.RENEW else Action.SWAP
    assert died(Action.SWAP, 0, NOW, POLICY, before).doubt is left
    assert died(Action.RENEW, 0, NOW, POLICY, before).doubt is Action.RENEW
    standing = replace(FRESH, state=State.UNCERTAIN, reason=RESPONSE_LOST, doubt=before)
    assert settled((standing, Action.SWAP, Unknown("timeout"))).doubt is left
