"""What an answer makes of a connection: the rules that no standing, call and outcome may break."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrator.models import (
    LIFETIME_ASSUMED,
    NO_REFRESH_TOKEN,
    RESPONSE_LOST,
    SCOPE_MISSING,
    UNVERIFIED,
    Action,
    Secret,
    Standing,
    State,
    StoredPair,
    Tenant,
    TokenPair,
)
from migrator.providers import (
    Later,
    NoRefreshToken,
    Outcome,
    Reached,
    Renewed,
    Unknown,
    Won,
)
from migrator.rules.next_step import Call
from migrator.rules.tenants import (
    TENANT_MISMATCH,
    TENANT_TYPE_MISMATCH,
)
from migrator.rules.transitions import settle
from tests.rules.strategies import (
    BACKOFF,
    FRESH,
    MINUTE,
    NOW,
    OUTCOME_WORDS,
    POLICY,
    TYPED,
    calls,
    fruitless,
    settled,
    tenants,
    wins,
)
from tests.rules.test_failures import MIGRATED
from tests.rules.test_simulated_jobs import GONE, SWAP, after_verdict


@given(calls())
def test_every_call_ends_in_a_verdict_that_the_ledger_knows(call: tuple[Standing, Action, Outcome]) -> None:
    verdict = settled(call)
    assert verdict.outcome in OUTCOME_WORDS
    assert verdict.state is not State.IN_FLIGHT
    assert (verdict.problem == "") is (verdict.outcome == "done")


@given(calls())
def test_a_pair_that_was_won_is_always_kept(call: tuple[Standing, Action, Outcome]) -> None:
    standing, action, outcome = call
    verdict = settled(call)
    won = outcome.pair if isinstance(outcome, Won | NoRefreshToken) else None
    if won and not won.refresh_token and action is Action.REFRESH:
        assert standing.pair is not None
        old = standing.pair.pair
        kept_on = replace(won, refresh_token=old.refresh_token, refresh_expires_at=old.refresh_expires_at)
        assert verdict.new_pair == kept_on
    else:
        kept = [outcome.pair if isinstance(outcome, Won | NoRefreshToken) else None]
        if isinstance(outcome, Won) and outcome.ends is not None and action is Action.REFRESH:
            kept.append(replace(outcome.pair, expires_at=outcome.ends))  # where the guess is believed
        assert verdict.new_pair in kept
    fruitless = isinstance(outcome, NoRefreshToken) and action is not Action.REFRESH
    assert verdict.new_pair_set_aside is fruitless


@given(calls(fruitless))
def test_a_swap_without_a_refresh_token_has_failed_and_a_refresh_without_one_has_not(
    call: tuple[Standing, Action, Outcome],
) -> None:
    action, verdict = call[1], settled(call)
    if action is Action.REFRESH:
        assert (verdict.state, verdict.reason) == (State.UNCERTAIN, UNVERIFIED)
    else:
        assert (verdict.state, verdict.reason) == (State.FAILED, NO_REFRESH_TOKEN)
        assert (verdict.outcome, verdict.problem) == ("over", NO_REFRESH_TOKEN)


def test_a_token_that_a_fruitless_swap_used_up_is_said_to_be_that() -> None:
    retried = replace(FRESH, state=State.UNCERTAIN, reason=NO_REFRESH_TOKEN, doubt=Action.SWAP)
    later = after_verdict(retried, settled((retried, Action.SWAP, Later("http_503"))), NOW, Action.SWAP)
    assert later.reason == NO_REFRESH_TOKEN
    verdict = settled((later, Action.SWAP, GONE))
    assert (verdict.state, verdict.reason) == (State.NEEDS_CONSENT, NO_REFRESH_TOKEN)


@pytest.mark.parametrize(
    ("action", "doubt", "ended", "access", "verified_next"),
    [
        (Action.SWAP, None, True, "a", False),
        (Action.REFRESH, Action.SWAP, True, "a", False),  # a swap's form says nothing of a refresh's
        (Action.REFRESH, Action.REFRESH, True, "a", True),
        (Action.REFRESH, Action.EXCHANGE_CODE, True, "a", True),  # both come from the same endpoint
        (Action.REFRESH, Action.REFRESH, False, "a", False),  # the one before was no guess
        (Action.REFRESH, Action.VERIFY, True, "a", False),  # nor was this one the first of its answer
        (Action.REFRESH, Action.REFRESH, True, "", False),
        (Action.REFRESH, None, False, "a", False),
    ],
)
def test_a_guess_is_believed_once_one_of_the_same_kind_has_worked(
    action: Action, doubt: Action | None, ended: bool, access: str, verified_next: bool
) -> None:
    sent = TokenPair(Secret(access), Secret("r"), NOW if ended else NOW + MINUTE)
    state = State.UNCERTAIN if doubt else State.MIGRATED
    stored = (
        None
        if action is Action.SWAP
        else StoredPair(
            1, sent, obtained_at=NOW, first_of_refresh=doubt in (Action.REFRESH, Action.EXCHANGE_CODE)
        )
    )
    standing = replace(FRESH, state=state, reason=UNVERIFIED, doubt=doubt, pair=stored)
    pair = TokenPair(Secret("b"), Secret("s"), NOW)
    rivalled = Won(pair, whole=False, ends=NOW + 30 * MINUTE, sole=False)
    chosen = after_verdict(standing, settled((standing, action, rivalled)), NOW, action)
    assert SWAP.step(chosen, TYPED, NOW + 2 * POLICY.settle) == Call(Action.REFRESH), "another may be meant"
    won = replace(rivalled, sole=True)
    after = after_verdict(standing, settled((standing, action, won)), NOW, action)
    assert (after.state, after.reason) == (State.UNCERTAIN, UNVERIFIED)
    step = SWAP.step(after, TYPED, NOW + 2 * POLICY.settle)
    assert step == Call(Action.VERIFY if verified_next else Action.REFRESH)


def test_a_refresh_that_leads_to_a_refresh_counts_as_a_try() -> None:
    stored = StoredPair(1, TokenPair(Secret(""), Secret("r"), NOW), obtained_at=NOW)
    standing = replace(FRESH, state=State.UNCERTAIN, doubt=Action.REFRESH, pair=stored, tries=2)
    for access, ends, tries in (("", NOW, 3), ("a", NOW, 3), ("a", NOW + MINUTE, 2)):
        won = Won(TokenPair(Secret(access), Secret("s"), ends), whole=False)
        assert settled((standing, Action.REFRESH, won)).tries == tries
        assert settled((replace(standing, pair=None), Action.SWAP, won)).tries == 2, "it is no refresh"


@pytest.mark.parametrize("found", ["", TENANT_MISMATCH])
@pytest.mark.parametrize("assumed", [True, False])
def test_an_assumed_lifetime_is_said_of_a_pair_of_which_nothing_worse_is(found: str, assumed: bool) -> None:
    stored = StoredPair(1, TokenPair(Secret("a"), Secret("r"), NOW, lifetime_assumed=assumed))
    standing = replace(FRESH, state=State.UNCERTAIN, doubt=Action.SWAP, tenant_id="T1", pair=stored)
    reached = Reached((Tenant("T2" if found else "T1"),))
    verdict = settled((standing, Action.VERIFY, reached))
    assert (verdict.state, verdict.reason) == (
        State.MIGRATED,
        found or (LIFETIME_ASSUMED if assumed else ""),
    )


@given(calls())
def test_a_renewed_token_is_always_kept_with_a_handle_if_there_ever_was_one(
    call: tuple[Standing, Action, Outcome],
) -> None:
    standing, _, outcome = call
    verdict = settled(call)
    if isinstance(outcome, Renewed):
        handle = outcome.legacy.session_handle or standing.legacy.session_handle
        assert verdict.new_legacy == replace(outcome.legacy, session_handle=handle)
    else:
        assert verdict.new_legacy is None


@given(calls())
def test_migrated_means_a_pair_that_was_won_or_seen_to_work(call: tuple[Standing, Action, Outcome]) -> None:
    standing, _, outcome = call
    verdict = settled(call)
    if verdict.state is State.MIGRATED:
        assert isinstance(outcome, Won | Reached) or standing.state is State.MIGRATED
        assert standing.pair is not None or verdict.new_pair is not None or isinstance(outcome, Reached)
        assert not verdict.pair_dead
    assert verdict.pair_verified is isinstance(outcome, Reached)


@given(calls(wins))
def test_a_pair_won_under_doubt_is_looked_at_after_any_late_call(
    call: tuple[Standing, Action, Outcome],
) -> None:
    standing, action, outcome = call
    assert isinstance(outcome, Won)
    verdict = settled(call)
    # A refresh that was asked only once shows by itself that the pair before it worked.
    shows_the_pair_before = action is Action.REFRESH and standing.doubt is not Action.REFRESH
    only_call = standing.doubt is None or shows_the_pair_before
    if only_call and outcome.whole and not outcome.pair.lifetime_assumed:
        assert verdict.state is State.MIGRATED
    else:  # what is not whole is looked at too, though at once where no other call can be late
        assert (verdict.state, verdict.reason) == (State.UNCERTAIN, UNVERIFIED)
        guessed = action is Action.REFRESH and outcome.ends is not None
        # What the refresh of a guess brings shows that whatever was lost before it, it left something good.
        assert verdict.doubt in (standing.doubt or action, Action.REFRESH if guessed else None)
        assert verdict.not_before == (None if only_call else NOW + POLICY.settle)


@given(calls())
@example((replace(FRESH, state=State.UNCERTAIN, doubt=Action.RENEW), Action.SWAP, Unknown("timeout")))
@example((replace(FRESH, state=State.UNCERTAIN, doubt=Action.SWAP), Action.RENEW, Unknown("timeout")))
def test_an_effectful_call_without_an_answer_is_in_doubt_until_it_must_be_over(
    call: tuple[Standing, Action, Outcome],
) -> None:
    standing, action, outcome = call
    verdict = settled(call)
    if isinstance(outcome, Unknown) and action is not Action.VERIFY:
        # A lost renewal goes on explaining why the token is refused, whatever swaps get lost since.
        renewal_lost_before = (standing.doubt, action) == (Action.RENEW, Action.SWAP)
        doubt = Action.RENEW if renewal_lost_before else action
        assert (verdict.state, verdict.reason, verdict.doubt) == (State.UNCERTAIN, RESPONSE_LOST, doubt)
        assert verdict.not_before is not None
        assert verdict.not_before >= NOW + POLICY.settle
        assert verdict.tries == standing.tries + 1


@given(calls())
def test_a_question_without_an_answer_changes_nothing_but_the_time(
    call: tuple[Standing, Action, Outcome],
) -> None:
    standing, action, outcome = call
    if isinstance(outcome, Unknown) and action is Action.VERIFY:
        verdict = settled(call)
        assert (verdict.state, verdict.doubt) == (standing.state, standing.doubt)
        assert not verdict.pair_dead
        assert verdict.not_before == NOW + BACKOFF


@given(calls())
def test_doubt_goes_only_with_what_is_uncertain(call: tuple[Standing, Action, Outcome]) -> None:
    verdict = settled(call)
    assert (verdict.doubt is not None) is (verdict.state is State.UNCERTAIN)


@given(calls())
def test_doubt_ends_only_with_a_working_pair_or_the_users_consent(
    call: tuple[Standing, Action, Outcome],
) -> None:
    standing, verdict = call[0], settled(call)
    if standing.doubt is not None and verdict.reason != NO_REFRESH_TOKEN:
        assert verdict.state in (State.UNCERTAIN, State.MIGRATED, State.NEEDS_CONSENT)


@given(tenants, st.lists(tenants, max_size=3))
def test_a_pair_that_misses_its_tenant_is_migrated_with_that_said(wanted: str, reached: list[str]) -> None:
    standing = replace(FRESH, tenant_id=wanted, state=State.UNCERTAIN, doubt=Action.SWAP)
    verdict = settled((standing, Action.VERIFY, Reached(tuple(Tenant(id_) for id_ in reached))))
    hit = wanted.lower() in [tenant.lower() for tenant in reached] if wanted else bool(reached)
    assert (verdict.state, verdict.reason) == (State.MIGRATED, "" if hit else TENANT_MISMATCH)


@pytest.mark.parametrize(
    ("wanted", "won", "before", "reason"),
    [
        ("T1", "T1", "", ""),
        ("T1", "t1", "", ""),
        ("T1", "T2", "", TENANT_MISMATCH),
        ("", "T2", "", ""),
        ("T1", "", TENANT_MISMATCH, TENANT_MISMATCH),  # a refresh does not name it
        ("T1", "", TENANT_TYPE_MISMATCH, TENANT_TYPE_MISMATCH),
        ("T1", "", LIFETIME_ASSUMED, ""),
    ],
)
def test_what_a_new_pair_says_of_its_tenant_is_compared_and_else_the_finding_stands(
    wanted: str, won: str, before: str, reason: str
) -> None:
    standing = replace(MIGRATED, tenant_id=wanted, reason=before)
    pair = TokenPair(Secret("a"), Secret("r"), NOW, tenant_id=won)
    verdict = settled((standing, Action.REFRESH, Won(pair)))
    assert (verdict.state, verdict.reason) == (State.MIGRATED, reason)


@pytest.mark.parametrize("outcome", [Won, lambda pair: NoRefreshToken(pair, "hint")])
def test_a_refresh_that_gives_no_new_refresh_token_leaves_the_old_one(
    outcome: Callable[[TokenPair], Outcome],
) -> None:
    ends = NOW + timedelta(days=60)
    old = StoredPair(1, TokenPair(Secret("a"), Secret("r"), NOW, refresh_expires_at=ends), NOW)
    new = TokenPair(Secret("b"), Secret(""), NOW + timedelta(hours=1))
    verdict = settled((replace(MIGRATED, pair=old), Action.REFRESH, outcome(new)))
    assert verdict.new_pair == replace(new, refresh_token=Secret("r"), refresh_expires_at=ends)


@pytest.mark.parametrize("granted", ["a b c", "c,b,a", "c, b a"])
def test_scopes_are_told_apart_by_blanks_and_commas(granted: str) -> None:
    policy = replace(POLICY, terms=replace(TYPED, scope=("a", "b")))
    for scope, reason in ((granted, ""), ("a,bc", SCOPE_MISSING)):
        won = Won(TokenPair(Secret("a"), Secret("r"), NOW, scope=scope))
        assert settle(FRESH, Action.SWAP, won, NOW, policy, BACKOFF).reason == reason
