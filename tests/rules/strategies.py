"""Standings, calls and outcomes as the job may meet them, for tests of the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from migrator.models import (
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
    Later,
    NoRefreshToken,
    Outcome,
    Over,
    Reached,
    Renewed,
    RenewFirst,
    StopAll,
    Suspect,
    Unknown,
    Won,
)
from migrator.providers.facts import Renewal, RenewalRule
from migrator.rules.tenants import (
    OTHER_TENANT,
    TENANT_MISMATCH,
)
from migrator.rules.terms import Terms
from migrator.rules.transitions import settle
from migrator.rules.verdict import Policy, Verdict

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TYPED = Terms(
    app_types={"partner": True, "public": False, "private": False},
    renewal=Renewal(RenewalRule.EXPIRED, needs_handle=True),
)
"""Those of a provider with types of applications, whose tokens a session handle renews."""
POLICY = Policy(max_attempts=5, settle=timedelta(seconds=80), terms=TYPED)
BACKOFF = timedelta(seconds=2)
OUTCOME_WORDS = {"done", "renew_first", "later", "over", "stop", "unknown"}
EFFECTFUL = (Action.SWAP, Action.RENEW, Action.REFRESH)
words = st.sampled_from(["timeout", "http_503", "token_rejected", "rate_limited"])
secrets = st.sampled_from(["a", "b", "c"]).map(Secret)
tenants = st.sampled_from(["", "T1", "t1", "T2"])
handles = st.none() | secrets
legacies = st.builds(LegacyToken, secrets, secrets, handles, st.none() | st.just(NOW))
token_pairs = st.builds(
    TokenPair, secrets, secrets, st.just(NOW), st.just(""), tenants, lifetime_assumed=st.booleans()
)
stored_pairs = st.builds(StoredPair, st.integers(1, 9), token_pairs, st.none() | st.just(NOW))
waits = st.none() | st.integers(0, 86_400).map(lambda seconds: timedelta(seconds=seconds))
wins = st.builds(Won, token_pairs, st.booleans()) | st.builds(
    Won, token_pairs, whole=st.sampled_from([False]), ends=st.just(NOW + timedelta(minutes=30))
)
fruitless = st.builds(
    NoRefreshToken, token_pairs.map(lambda pair: replace(pair, refresh_token=Secret(""))), st.just("hint")
)
overs = st.builds(
    Over, st.sampled_from([State.NEEDS_CONSENT, State.FAILED]), st.just("grant_revoked"), words, st.booleans()
)
outcomes: st.SearchStrategy[Outcome] = st.one_of(
    wins,
    fruitless,
    st.builds(Renewed, legacies),
    st.builds(Reached, st.lists(st.builds(Tenant, tenants), max_size=3).map(tuple)),
    st.builds(RenewFirst, words),
    st.builds(Later, words, waits, st.sampled_from(["connection", "app"])),
    overs,
    st.builds(Suspect, words, st.just("hint")),
    st.builds(StopAll, words, st.just("hint")),
    st.builds(Unknown, words),
)


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    """What the job may find in a ledger: only what is uncertain is in doubt, only what is settled or in doubt
    has a pair.
    """
    state = draw(st.sampled_from([State.PENDING, State.UNCERTAIN, State.MIGRATED]))
    pair = draw({State.PENDING: st.none(), State.MIGRATED: stored_pairs}.get(state, st.none() | stored_pairs))
    return Standing(
        id=1,
        key="key",
        app_type="partner",
        state=state,
        reason=draw(st.sampled_from(["", TENANT_MISMATCH])) if state is State.MIGRATED else "",
        tenant_id=draw(tenants),
        tenant_type="ORGANISATION",
        legacy=draw(legacies),
        pair=pair,
        doubt=draw(st.sampled_from((*EFFECTFUL, *([Action.VERIFY] if pair else []))))
        if state is State.UNCERTAIN
        else None,
        tries=draw(st.integers(0, POLICY.max_attempts - 1)),
    )


@st.composite
def calls(
    draw: st.DrawFn, answers: st.SearchStrategy[Outcome] = outcomes
) -> tuple[Standing, Action, Outcome]:
    """A finished call: pairs are asked about where there is one, legacy tokens where there is none."""
    standing = draw(standings())
    of_pairs, of_legacy = (Action.VERIFY, Action.REFRESH), (Action.SWAP, Action.RENEW)
    return standing, draw(st.sampled_from(of_pairs if standing.pair else of_legacy)), draw(answers)


def settled(call: tuple[Standing, Action, Outcome], terms: Terms = TYPED) -> Verdict:
    standing, action, outcome = call
    return settle(standing, action, outcome, NOW, replace(POLICY, terms=terms), BACKOFF)


MINUTE = timedelta(minutes=1)
FRESH = Standing(
    1,
    "key",
    "partner",
    State.PENDING,
    "",
    "",
    "ORGANISATION",
    LegacyToken(Secret("L0"), Secret("s")),
)


@st.composite
def waiting(draw: st.DrawFn) -> Standing:
    """A connection that waits for its user, of whatever application."""
    return replace(
        draw(standings()),
        app_type=draw(st.sampled_from(["partner", "public", "private"])),
        state=State.NEEDS_CONSENT,
        reason=draw(
            st.sampled_from(["public_app", "private_app", "grant_revoked", RESPONSE_LOST, OTHER_TENANT])
        ),
        pair=None,
        doubt=None,
        tries=0,
    )


@st.composite
def consented(draw: st.DrawFn) -> Standing:
    """A connection whose user has consented, and whose pair nobody has seen work yet."""
    standing = draw(waiting())
    pair = StoredPair(3, draw(token_pairs))
    return replace(
        standing,
        state=State.UNCERTAIN,
        reason=UNVERIFIED,
        doubt=draw(st.sampled_from([Action.EXCHANGE_CODE, Action.VERIFY, Action.REFRESH])),
        pair=pair,
        consented=True,
    )
