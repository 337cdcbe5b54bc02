"""What consents make of a connection: nothing counts but what was asked for."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from migrator.models import (
    LIFETIME_ASSUMED,
    RESPONSE_LOST,
    UNVERIFIED,
    Action,
    LegacyToken,
    Secret,
    Standing,
    State,
    StoredPair,
    Tenant,
    TokenPair,
)
from migrator.providers import (
    NoRefreshToken,
    Outcome,
    Over,
    Reached,
    Renewed,
    Unknown,
    Won,
)
from migrator.rules.agenda import Agenda, Work
from migrator.rules.next_step import Call
from migrator.rules.tenants import (
    NO_TENANT,
    OTHER_TENANT,
    SEVERAL_TENANTS,
    TENANT_TYPE_MISMATCH,
)
from migrator.rules.transitions import settle
from tests.rules.strategies import (
    BACKOFF,
    NOW,
    OUTCOME_WORDS,
    POLICY,
    TYPED,
    consented,
    outcomes,
    waiting,
    wins,
)


@given(waiting(), outcomes)
def test_a_connection_waits_for_its_user_until_there_is_a_pair(standing: Standing, outcome: Outcome) -> None:
    verdict = settle(standing, Action.EXCHANGE_CODE, outcome, NOW, POLICY, BACKOFF)
    if isinstance(outcome, Won):
        assert (verdict.state, verdict.reason, verdict.doubt) == (
            State.UNCERTAIN,
            UNVERIFIED,
            Action.EXCHANGE_CODE,
        )
        assert verdict.new_pair == outcome.pair
        assert verdict.not_before == NOW + POLICY.settle, "who won it looks first, and alone"
    else:
        assert (verdict.state, verdict.doubt) == (State.NEEDS_CONSENT, None)
        fruitless = outcome.pair if isinstance(outcome, NoRefreshToken) else None
        assert (verdict.new_pair, verdict.new_pair_set_aside) == (fruitless, fruitless is not None)
    lost = isinstance(outcome, Unknown | Renewed | Reached)
    if not isinstance(outcome, Won):
        assert verdict.reason == (RESPONSE_LOST if lost else standing.reason)
    assert verdict.outcome in OUTCOME_WORDS
    assert (verdict.problem == "") is (verdict.outcome == "done")


@given(consented(), st.sampled_from([Action.VERIFY, Action.REFRESH]), outcomes)
def test_a_consent_never_leads_to_a_swap_unless_a_partners_refresh_was_lost(
    standing: Standing, action: Action, outcome: Outcome
) -> None:
    verdict = settle(standing, action, outcome, NOW, POLICY, BACKOFF)
    after = replace(
        standing,
        state=verdict.state,
        reason=verdict.reason,
        doubt=verdict.doubt,
        not_before=None,
        pair=None if verdict.pair_dead or verdict.pair_set_aside else standing.pair,
    )
    step = Agenda(Work.SWAP, 1, 100, NOW, NOW).step(after, TYPED, NOW)
    if standing.app_type != "partner" or standing.doubt is Action.EXCHANGE_CODE:
        assert not (isinstance(step, Call) and step.action in (Action.SWAP, Action.RENEW))


@given(consented(), wins)
def test_a_refresh_does_not_tell_which_tenant_a_user_has_chosen(standing: Standing, won: Won) -> None:
    if standing.doubt is Action.EXCHANGE_CODE:
        verdict = settle(standing, Action.REFRESH, won, NOW, POLICY, BACKOFF)
        assert (verdict.state, verdict.doubt) == (State.UNCERTAIN, Action.EXCHANGE_CODE)


@given(consented(), st.lists(st.builds(Tenant, st.sampled_from(["T1", "t1", "T2"])), max_size=3).map(tuple))
def test_a_consent_counts_only_for_what_was_asked_for(
    standing: Standing, reached: tuple[Tenant, ...]
) -> None:
    verdict = settle(standing, Action.VERIFY, Reached(reached), NOW, POLICY, BACKOFF)
    wanted = standing.tenant_id.lower()
    hit = bool(reached) if not wanted else wanted in {tenant.id.lower() for tenant in reached}
    assert verdict.state is (State.MIGRATED if hit else State.NEEDS_CONSENT)
    assert verdict.pair_set_aside is not hit
    assert verdict.pair_verified
    assert verdict.doubt is None
    assert standing.pair is not None
    assumed = LIFETIME_ASSUMED if standing.pair.pair.lifetime_assumed else ""
    if not reached:
        assert verdict.reason == NO_TENANT
    elif not hit:
        assert verdict.reason == OTHER_TENANT
    elif not wanted:
        assert verdict.reason == (SEVERAL_TENANTS if len(reached) > 1 else assumed)
        assert verdict.adopted == (reached[0] if len(reached) == 1 else None)
    else:
        assert (verdict.reason, verdict.adopted) == (assumed, None)


def test_a_consented_tenant_of_another_type_is_a_finding() -> None:
    standing = Standing(
        1, "key", "public", State.UNCERTAIN, UNVERIFIED, "T1", "PRACTICE",
        LegacyToken(Secret("a")), StoredPair(1, TokenPair(Secret("a"), Secret("b"), NOW)),
        Action.EXCHANGE_CODE, consented=True,
    )  # fmt: skip
    reached = Reached((Tenant("T1", "ORGANISATION"),))
    verdict = settle(standing, Action.VERIFY, reached, NOW, POLICY, BACKOFF)
    assert (verdict.state, verdict.reason) == (State.MIGRATED, TENANT_TYPE_MISMATCH)


@given(consented())
def test_a_refused_refresh_of_a_consented_pair_asks_its_user_again(standing: Standing) -> None:
    refused = Over(State.NEEDS_CONSENT, "grant_revoked", "invalid_grant", refused=True)
    verdict = settle(standing, Action.REFRESH, refused, NOW, POLICY, BACKOFF)
    if standing.doubt is Action.EXCHANGE_CODE or standing.app_type != "partner":
        assert (verdict.state, verdict.pair_dead) == (State.NEEDS_CONSENT, True)


@given(waiting(), st.booleans(), st.sampled_from(["", "u-2"]))
def test_any_user_of_a_tenant_may_consent_and_of_an_account_only_its_own(
    standing: Standing, lists_tenants: bool, user_id: str
) -> None:
    policy = replace(POLICY, terms=replace(TYPED, lists_tenants=lists_tenants))
    won = Won(TokenPair(Secret("a"), Secret("r"), NOW, user_id=user_id))
    verdict = settle(standing, Action.EXCHANGE_CODE, won, NOW, policy, BACKOFF)
    assert verdict.user_id == (user_id if lists_tenants else "")
