"""What a refusal, an expired token, a lost answer mean with a provider's terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from migrator.models import (
    NO_REFRESH_TOKEN,
    RESPONSE_LOST,
    UNVERIFIED,
    Action,
    Secret,
    Standing,
    State,
    StoredPair,
    TokenPair,
)
from migrator.providers import Later, Over, RenewFirst, Unknown
from migrator.providers.facts import LegacyFate, Renewal, RenewalRule, Repeat
from migrator.rules.breaker import Breaker
from migrator.rules.failures import outlives
from migrator.rules.judgement import JudgedAt, Judgement, judge
from migrator.rules.terms import Terms
from tests.rules.strategies import BACKOFF, FRESH, MINUTE, NOW, POLICY, settled

LAST = POLICY.max_attempts - 1
X = Terms(repeat=Repeat.NEWEST_WINS, legacy_fate=LegacyFate.LIVES)
LIVING = Terms(legacy_fate=LegacyFate.LIVES)
ONCE = Terms(repeat=Repeat.NEVER, legacy_fate=LegacyFate.DIES)
TOLD = Terms(renewal=Renewal(RenewalRule.REFUSED))
ONCE_ALONE = replace(ONCE, refreshes=False)
NO_REFRESH = Terms(refreshes=False)
REFUSED = Over(State.NEEDS_CONSENT, "grant_revoked", "token_rejected", refused=True)
AGAIN = Over(State.NEEDS_CONSENT, "already_exchanged", "already_exchanged", refused=True)
NO_ACCESS = Over(State.FAILED, "access_token_refused", "http_401", refused=True)
EXPIRED = RenewFirst("token_expired")
PAIR = TokenPair(Secret("a"), Secret("r"), NOW + MINUTE)
MIGRATED = replace(FRESH, state=State.MIGRATED, pair=StoredPair(1, PAIR))
ALONE = StoredPair(1, replace(PAIR, refresh_token=Secret("")))
"""An access token is all that there is of the pair."""
SWAP_LOST = replace(FRESH, state=State.UNCERTAIN, reason=RESPONSE_LOST, doubt=Action.SWAP)
RENEWED = replace(FRESH, legacy=replace(FRESH.legacy, renewed=True))


def in_doubt(doubt: Action, reason: str = RESPONSE_LOST) -> Standing:
    return replace(MIGRATED, state=State.UNCERTAIN, reason=reason, doubt=doubt)


# --- what a legacy token's refusal means ---


@pytest.mark.parametrize(
    ("terms", "doubt", "outcome", "reason"),
    [
        (X, Action.SWAP, REFUSED, "grant_revoked"),
        (X, Action.REFRESH, REFUSED, "grant_revoked"),
        (LIVING, Action.SWAP, REFUSED, "grant_revoked"),
        (LIVING, Action.SWAP, AGAIN, RESPONSE_LOST),  # it was our own call that is told of
        (X, Action.RENEW, REFUSED, RESPONSE_LOST),  # a renewal ends the token before it
        (Terms(), Action.SWAP, REFUSED, RESPONSE_LOST),
        (Terms(legacy_fate=LegacyFate.DIES_AFTER), Action.SWAP, REFUSED, RESPONSE_LOST),
        (ONCE, Action.RENEW, REFUSED, RESPONSE_LOST),
    ],
)
def test_a_refusal_after_a_lost_call_is_explained_by_it_unless_the_token_lives_on(
    terms: Terms, doubt: Action, outcome: Over, reason: str
) -> None:
    standing = replace(SWAP_LOST, doubt=doubt)
    verdict = settled((standing, Action.SWAP, outcome), terms)
    assert (verdict.state, verdict.reason) == (State.NEEDS_CONSENT, reason)
    assert outlives(standing, outcome, terms) is (reason == "grant_revoked")


def test_a_token_that_was_exchanged_before_by_somebody_else_is_said_to_be_that() -> None:
    verdict = settled((FRESH, Action.SWAP, AGAIN), ONCE)
    assert (verdict.state, verdict.reason) == (State.NEEDS_CONSENT, "already_exchanged")


# --- what a pair's refusal means ---


@pytest.mark.parametrize("doubt", [None, Action.VERIFY])
@pytest.mark.parametrize("repeat", [Repeat.NEWEST_WINS, Repeat.BOTH_LIVE])
def test_another_swap_cures_a_dead_refresh_token(repeat: Repeat, doubt: Action | None) -> None:
    standing = replace(MIGRATED if doubt is None else in_doubt(doubt, UNVERIFIED), tries=2)
    terms = replace(X, repeat=repeat)
    verdict = settled((standing, Action.REFRESH, REFUSED), terms)
    assert (verdict.state, verdict.reason, verdict.doubt) == (State.PENDING, "", None)
    assert (verdict.pair_dead, verdict.tries) == (True, 3)


@pytest.mark.parametrize(
    ("standing", "terms"),
    [
        (replace(MIGRATED, consented=True), X),
        (replace(MIGRATED, app_type="public"), replace(X, app_types={"public": False})),
        (MIGRATED, LIVING),
        (MIGRATED, ONCE),
        (in_doubt(Action.EXCHANGE_CODE, UNVERIFIED), X),
    ],
    ids=["won by consent", "never swapped", "unknown rule", "once", "just consented"],
)
def test_no_other_swap_cures_what_it_did_not_bring(standing: Standing, terms: Terms) -> None:
    verdict = settled((standing, Action.REFRESH, REFUSED), terms)
    assert (verdict.state, verdict.reason) == (State.NEEDS_CONSENT, "grant_revoked")
    assert verdict.pair_dead


@pytest.mark.parametrize(
    ("terms", "state"),
    [(Terms(), State.UNCERTAIN), (X, State.UNCERTAIN), (ONCE, State.NEEDS_CONSENT)],
)
def test_a_refresh_that_got_lost_and_is_refused_is_asked_for_where_a_swap_may_be(
    terms: Terms, state: State
) -> None:
    for standing, expected in (
        (in_doubt(Action.REFRESH), state),
        (replace(in_doubt(Action.REFRESH), consented=True), State.NEEDS_CONSENT),
    ):
        verdict = settled((standing, Action.REFRESH, REFUSED), terms)
        assert (verdict.state, verdict.reason, verdict.pair_dead) == (expected, RESPONSE_LOST, True)


@pytest.mark.parametrize(
    ("standing", "terms", "state", "reason"),
    [
        (replace(MIGRATED, pair=ALONE), NO_REFRESH, State.NEEDS_CONSENT, "access_token_refused"),
        (MIGRATED, replace(X, refreshes=False), State.PENDING, ""),
        (replace(in_doubt(Action.SWAP, UNVERIFIED), pair=ALONE), NO_REFRESH, State.UNCERTAIN, RESPONSE_LOST),
        (
            in_doubt(Action.SWAP, UNVERIFIED),
            replace(ONCE, refreshes=False),
            State.NEEDS_CONSENT,
            RESPONSE_LOST,
        ),
    ],
)
def test_a_refused_access_token_is_all_that_there_was_where_nothing_is_refreshed(
    standing: Standing, terms: Terms, state: State, reason: str
) -> None:
    verdict = settled((replace(standing, pair=ALONE), Action.VERIFY, NO_ACCESS), terms)
    assert (verdict.state, verdict.reason) == (state, reason)
    assert (verdict.pair_dead, verdict.pair_expired) == (True, False)
    whole = replace(standing, pair=StoredPair(1, PAIR))
    with_refresh = settled((whole, Action.VERIFY, NO_ACCESS), terms)
    assert (with_refresh.pair_dead, with_refresh.pair_expired) == (False, True)


# --- what an expired legacy token means ---


@pytest.mark.parametrize("action", [Action.SWAP, Action.IDENTIFY])
@pytest.mark.parametrize(
    ("renewal", "standing", "can_be"),
    [
        (Renewal(), FRESH, False),
        (Renewal(RenewalRule.EXPIRED), FRESH, True),
        (Renewal(RenewalRule.EXPIRED), RENEWED, True),
        (Renewal(RenewalRule.EXPIRED, needs_handle=True), FRESH, False),
        (Renewal(RenewalRule.WINDOW, window=timedelta(days=30)), FRESH, False),
        (Renewal(RenewalRule.REFUSED), FRESH, True),
        (Renewal(RenewalRule.REFUSED), RENEWED, False),
    ],
)
def test_an_expired_token_is_renewed_where_it_can_be_and_else_its_user_asked(
    action: Action, renewal: Renewal, standing: Standing, can_be: bool
) -> None:
    verdict = settled((standing, action, EXPIRED), Terms(renewal=renewal))
    if can_be:
        told = "token_expired" if renewal.rule is RenewalRule.REFUSED else ""
        assert (verdict.state, verdict.reason, verdict.tries) == (State.PENDING, told, 1)
        assert verdict.token_expired
    else:
        assert (verdict.state, verdict.reason) == (State.NEEDS_CONSENT, "token_expired")


def test_what_the_provider_said_is_marked_under_doubt_too() -> None:
    verdict = settled((SWAP_LOST, Action.SWAP, EXPIRED), TOLD)
    assert (verdict.state, verdict.reason) == (State.UNCERTAIN, "token_expired")
    assert verdict.doubt is Action.SWAP
    unmarked = settled((SWAP_LOST, Action.SWAP, EXPIRED), Terms(renewal=Renewal(RenewalRule.EXPIRED)))
    assert unmarked.reason == RESPONSE_LOST


@pytest.mark.parametrize("action", [Action.RENEW, Action.REFRESH, Action.VERIFY])
def test_a_call_that_needs_no_living_token_is_put_off(action: Action) -> None:
    verdict = settled((FRESH, action, EXPIRED), TOLD)
    assert (verdict.state, verdict.outcome, verdict.not_before) == (State.PENDING, "later", NOW + BACKOFF)


# --- what a lost answer means ---


@pytest.mark.parametrize(
    ("repeat", "spent"),
    [(repeat, repeat in (Repeat.NEVER, Repeat.ONCE_PER_USER)) for repeat in Repeat],
)
def test_a_lost_swap_is_consent_where_there_is_no_second(repeat: Repeat, spent: bool) -> None:
    verdict = settled((FRESH, Action.SWAP, Unknown("timeout")), Terms(repeat=repeat))
    assert (verdict.outcome, verdict.problem, verdict.reason) == ("unknown", "timeout", RESPONSE_LOST)
    if spent:
        assert (verdict.state, verdict.doubt, verdict.not_before) == (State.NEEDS_CONSENT, None, None)
    else:
        assert (verdict.state, verdict.doubt) == (State.UNCERTAIN, Action.SWAP)
        assert verdict.not_before == NOW + POLICY.settle
    renewing = settled((FRESH, Action.RENEW, Unknown("timeout")), Terms(repeat=repeat))
    assert (renewing.state, renewing.doubt) == (State.UNCERTAIN, Action.RENEW)


@pytest.mark.parametrize("action", [Action.IDENTIFY, Action.DISABLE, Action.VERIFY])
def test_a_harmless_call_that_got_lost_is_made_again(action: Action) -> None:
    for standing in (FRESH, MIGRATED, SWAP_LOST):
        verdict = settled((standing, action, Unknown("timeout")), ONCE)
        assert (verdict.state, verdict.reason, verdict.doubt) == (
            standing.state,
            standing.reason,
            standing.doubt,
        )
        assert (verdict.outcome, verdict.tries, verdict.not_before) == ("unknown", 1, NOW + BACKOFF)


@pytest.mark.parametrize(
    ("standing", "tries", "state"),
    [(FRESH, LAST - 1, State.PENDING), (FRESH, LAST, State.FAILED), (SWAP_LOST, LAST, State.UNCERTAIN)],
)
def test_nobody_asks_whose_a_token_is_for_ever_nor_forgets_what_was_lost(
    standing: Standing, tries: int, state: State
) -> None:
    verdict = settled((replace(standing, tries=tries), Action.IDENTIFY, Unknown("timeout")))
    assert verdict.state is state
    assert verdict.reason == ("provider_unavailable" if state is State.FAILED else standing.reason)
    assert verdict.outcome == ("over" if state is State.FAILED else "unknown")


def test_a_swap_that_was_fruitless_once_is_said_to_be_that() -> None:
    retried = replace(SWAP_LOST, reason=NO_REFRESH_TOKEN)
    assert settled((retried, Action.SWAP, REFUSED)).reason == NO_REFRESH_TOKEN


# --- who goes first ---


def judged(standing: Standing, action: Action, outcome: Over | Unknown | Later, terms: Terms) -> Judgement:
    moment = JudgedAt(NOW, 1000.0, 0.5, alone=True)
    return judge(standing, action, outcome, Breaker(), moment, replace(POLICY, terms=terms))


@pytest.mark.parametrize(
    ("standing", "action", "outcome", "terms", "believed"),
    [
        (SWAP_LOST, Action.SWAP, REFUSED, X, False),
        (SWAP_LOST, Action.SWAP, REFUSED, Terms(), True),
        (SWAP_LOST, Action.SWAP, AGAIN, X, True),
        (FRESH, Action.IDENTIFY, REFUSED, Terms(), False),
        (MIGRATED, Action.REFRESH, REFUSED, X, False),
        (in_doubt(Action.REFRESH), Action.REFRESH, REFUSED, X, True),
        (replace(MIGRATED, pair=ALONE), Action.VERIFY, NO_ACCESS, NO_REFRESH, False),
        (MIGRATED, Action.VERIFY, NO_ACCESS, Terms(), True),
        (replace(in_doubt(Action.SWAP, UNVERIFIED), pair=ALONE), Action.VERIFY, NO_ACCESS, NO_REFRESH, True),
        (MIGRATED, Action.DISABLE, REFUSED, X, True),
    ],
)
def test_a_refusal_that_no_lost_call_explains_is_not_believed_at_once(
    standing: Standing, action: Action, outcome: Over, terms: Terms, believed: bool
) -> None:
    verdict = judged(standing, action, outcome, terms).verdict
    assert (verdict.outcome == "later") is not believed
    if not believed:
        assert (verdict.state, verdict.doubt, verdict.tries) == (standing.state, standing.doubt, 1)


@pytest.mark.parametrize("ends", [NOW, NOW + MINUTE])
def test_the_refusal_of_an_access_token_that_has_ended_is_no_surprise(ends: datetime) -> None:
    pair = replace(ALONE, pair=replace(ALONE.pair, expires_at=ends))
    standing = replace(MIGRATED, pair=pair)
    verdict = judged(standing, Action.VERIFY, NO_ACCESS, NO_REFRESH).verdict
    assert (verdict.state is State.NEEDS_CONSENT) is (ends == NOW)


@pytest.mark.parametrize("outcome", [Unknown("timeout"), Later("http_503")])
def test_trouble_that_everybody_has_fails_nobody_of_whom_it_was_only_asked(outcome: Unknown | Later) -> None:
    verdict = judged(replace(FRESH, tries=LAST), Action.IDENTIFY, outcome, Terms()).verdict
    assert (verdict.state, verdict.tries) == (State.PENDING, 1)


def test_the_end_of_an_access_token_is_no_news_where_only_others_can_refresh_it() -> None:
    ended = replace(MIGRATED, pair=StoredPair(1, replace(PAIR, expires_at=NOW)))
    verdict = judged(ended, Action.VERIFY, NO_ACCESS, NO_REFRESH).verdict
    assert (verdict.state, verdict.reason, verdict.doubt) == (State.MIGRATED, "", None)
    assert verdict.tries == POLICY.max_attempts, "it is not asked again"
    assert not verdict.pair_dead
    for told in (
        judged(ended, Action.VERIFY, NO_ACCESS, Terms()),
        judged(MIGRATED, Action.VERIFY, NO_ACCESS, NO_REFRESH),
    ):
        assert told.verdict.state is State.UNCERTAIN


def test_a_refresh_token_that_we_cannot_use_is_not_given_up_for_its_access_token() -> None:
    verdict = judged(MIGRATED, Action.VERIFY, NO_ACCESS, NO_REFRESH).verdict
    assert (verdict.state, verdict.reason, verdict.pair_dead) == (State.UNCERTAIN, UNVERIFIED, False)
