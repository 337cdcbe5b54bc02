"""What an answer makes of a connection: the rules that no standing, call and outcome may break, and a whole
job against simulated providers that lose answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.models import (
    LIFETIME_ASSUMED,
    NO_REFRESH_TOKEN,
    RESPONSE_LOST,
    UNVERIFIED,
    Action,
    AppType,
    LegacyToken,
    Secret,
    Standing,
    State,
    StoredPair,
    Tenant,
    TenantType,
    TokenPair,
)
from migrator.providers import (
    RATE_LIMITED,
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
from migrator.rules.agenda import Agenda, Work
from migrator.rules.breaker import Breaker
from migrator.rules.judgement import JudgedAt, judge
from migrator.rules.next_step import Call, Rest, Wait
from migrator.rules.recovery import READ_AGAIN, died, gives_up, goes_on, read_again, restored
from migrator.rules.tenants import (
    NO_TENANT,
    OTHER_TENANT,
    SEVERAL_TENANTS,
    TENANT_MISMATCH,
    TENANT_TYPE_MISMATCH,
)
from migrator.rules.transitions import settle
from migrator.rules.verdict import Policy, Verdict

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
POLICY = Policy(max_attempts=5, settle=timedelta(seconds=80))
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
fruitless = st.builds(NoRefreshToken, token_pairs, st.just("hint"))
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
        app_type=AppType.PARTNER,
        state=state,
        reason=draw(st.sampled_from(["", TENANT_MISMATCH])) if state is State.MIGRATED else "",
        tenant_id=draw(tenants),
        tenant_type=TenantType.ORGANISATION,
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


def settled(call: tuple[Standing, Action, Outcome]) -> Verdict:
    standing, action, outcome = call
    return settle(standing, action, outcome, NOW, POLICY, BACKOFF)


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
    if isinstance(outcome, NoRefreshToken) and action is Action.REFRESH:
        assert standing.pair is not None
        assert verdict.new_pair == replace(outcome.pair, refresh_token=standing.pair.pair.refresh_token)
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
    later = after_verdict(retried, settled((retried, Action.SWAP, Later("http_503"))), NOW)
    assert later.reason == NO_REFRESH_TOKEN
    verdict = settled((later, Action.SWAP, GONE))
    assert (verdict.state, verdict.reason) == (State.NEEDS_CONSENT, NO_REFRESH_TOKEN)


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("action", "doubt", "ended", "access", "verified_next"),
    [
        (Action.SWAP, None, True, "a", False),
        (Action.REFRESH, Action.SWAP, True, "a", False),  # a swap's form says nothing of a refresh's
        (Action.REFRESH, Action.REFRESH, True, "a", True),
        (Action.REFRESH, Action.EXCHANGE_CODE, True, "a", True),  # both come from the same endpoint
        (Action.REFRESH, Action.REFRESH, False, "a", False),  # the one before was no guess
        (Action.REFRESH, Action.REFRESH, True, "", False),
        (Action.REFRESH, None, False, "a", False),
    ],
)
def test_a_guess_is_believed_once_one_of_the_same_kind_has_worked(
    action: Action, doubt: Action | None, ended: bool, access: str, verified_next: bool
) -> None:
    sent = TokenPair(Secret(access), Secret("r"), NOW if ended else NOW + MINUTE)
    state = State.UNCERTAIN if doubt else State.MIGRATED
    stored = None if action is Action.SWAP else StoredPair(1, sent, obtained_at=NOW)
    standing = replace(FRESH, state=state, reason=UNVERIFIED, doubt=doubt, pair=stored)
    pair = TokenPair(Secret("b"), Secret("s"), NOW)
    won = Won(pair, whole=False, ends=NOW + 30 * MINUTE)
    after = after_verdict(standing, settled((standing, action, won)), NOW)
    assert (after.state, after.reason) == (State.UNCERTAIN, UNVERIFIED)
    step = SWAP.step(after, NOW + 2 * POLICY.settle)
    assert step == Call(Action.VERIFY if verified_next else Action.REFRESH)


def test_nothing_more_is_guessed_from_an_answer_whose_pair_once_worked() -> None:
    guess = Won(TokenPair(Secret("a"), Secret("r"), NOW), whole=False, ends=NOW)
    assert read_again(FRESH, Action.SWAP, guess) is not None
    assert read_again(FRESH, Action.SWAP, guess, worked_once=True) is None
    assert read_again(FRESH, Action.SWAP, replace(guess, ends=None), worked_once=True) is not None


def test_a_refresh_that_brings_no_access_token_counts_as_a_try() -> None:
    stored = StoredPair(1, TokenPair(Secret(""), Secret("r"), NOW), obtained_at=NOW)
    standing = replace(FRESH, state=State.UNCERTAIN, doubt=Action.REFRESH, pair=stored, tries=2)
    for access, tries in (("", 3), ("a", 2)):
        won = Won(TokenPair(Secret(access), Secret("s"), NOW), whole=False)
        assert settled((standing, Action.REFRESH, won)).tries == tries


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
    if verdict.reason == RESPONSE_LOST and (verdict.state is State.NEEDS_CONSENT or verdict.ends_pair):
        assert gives_up(action, verdict)
        assert not gives_up(Action.REVOKE, verdict), "an operator wanted it"
    for other in (goes_on(verdict, found), restored(verdict, 7)):
        assert other.state is State.UNCERTAIN
        assert not other.ends_pair
        assert (other.outcome, other.problem) == (verdict.outcome, verdict.problem), "what the call came to"


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
def test_an_effectful_call_without_an_answer_is_in_doubt_until_it_must_be_over(
    call: tuple[Standing, Action, Outcome],
) -> None:
    standing, action, outcome = call
    verdict = settled(call)
    if isinstance(outcome, Unknown) and action is not Action.VERIFY:
        assert (verdict.state, verdict.reason, verdict.doubt) == (State.UNCERTAIN, RESPONSE_LOST, action)
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
        assert (verdict.tries, verdict.not_before) == (standing.tries, None)


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
        assert isinstance(outcome, Later | RenewFirst)
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


@given(tenants, st.lists(tenants, max_size=3))
def test_a_pair_that_misses_its_tenant_is_migrated_with_that_said(wanted: str, reached: list[str]) -> None:
    standing = replace(FRESH, tenant_id=wanted, state=State.UNCERTAIN, doubt=Action.SWAP)
    verdict = settled((standing, Action.VERIFY, Reached(tuple(Tenant(id_) for id_ in reached))))
    hit = wanted.lower() in [tenant.lower() for tenant in reached] if wanted else bool(reached)
    assert (verdict.state, verdict.reason) == (State.MIGRATED, "" if hit else TENANT_MISMATCH)


@given(st.sampled_from(EFFECTFUL), st.integers(0, 4))
def test_a_call_whose_process_died_is_in_doubt_from_when_it_started(action: Action, tries: int) -> None:
    verdict = died(action, tries, NOW, POLICY)
    assert (verdict.state, verdict.reason, verdict.doubt) == (State.UNCERTAIN, RESPONSE_LOST, action)
    assert verdict.not_before == NOW + POLICY.settle


FRESH = Standing(
    1,
    "key",
    AppType.PARTNER,
    State.PENDING,
    "",
    "",
    TenantType.ORGANISATION,
    LegacyToken(Secret("L0"), Secret("s")),
)


# --- whole jobs against a simulated provider ---------------------------------------------------------------


Repeat = Literal["newest-wins", "keep", "never"]
Fate = Literal[
    "answered",
    "never arrived",
    "answer lost",
    "late",
    "unavailable",
    "undelimited",
    "cut off",
    "unusual",
    "half a pair",
    "guessed",
    "guessed wrong",
]
FATES: tuple[Fate, ...] = (
    "answered", "never arrived", "answer lost", "late", "unavailable", "undelimited", "cut off",
    "unusual", "half a pair", "guessed", "guessed wrong",
)  # fmt: skip
GONE = Over(State.NEEDS_CONSENT, "grant_revoked", "token_rejected", refused=True)


@dataclass
class Provider:
    """Mints pairs by name, and knows which legacy token and which pairs are alive."""

    repeat: Repeat
    legacy: str | None = "L0"
    alive: set[str] = field(default_factory=set)
    """Refresh tokens that work, by the name of their pair."""
    open: set[str] = field(default_factory=set)
    """Access tokens that work: a refresh lets the one before it live on."""
    minted: int = 0
    late: list[tuple[datetime, Action, Standing]] = field(default_factory=list)

    def carry_out(self, action: Action, standing: Standing, now: datetime) -> Outcome:
        token = standing.legacy.token.reveal()
        pair = standing.pair.pair.access_token.reveal() if standing.pair else ""
        refresh = standing.pair.pair.refresh_token.reveal() if standing.pair else ""
        match action:
            case Action.VERIFY:
                dead = Over(State.FAILED, "pair_dead", "http_401", refused=True)
                return Reached((Tenant("T1"),)) if pair in self.open else dead
            case Action.REFRESH if refresh in self.alive:
                self.alive.discard(refresh)
                return Won(self._mint(now))
            case Action.RENEW if token == self.legacy:
                self.minted += 1
                self.legacy = f"L{self.minted}"
                ends = now + timedelta(minutes=30)
                return Renewed(LegacyToken(Secret(self.legacy), Secret("s"), None, ends))
            case Action.SWAP if token == self.legacy:
                if self.repeat == "newest-wins":
                    self.alive.clear()
                    self.open.clear()
                if self.repeat == "never":
                    self.legacy = None
                return Won(self._mint(now))
        return GONE

    def call(self, action: Action, standing: Standing, fate: Fate, now: datetime) -> Outcome:
        for due, late_action, late_standing in [*self.late]:
            if due <= now:
                self.late.remove((due, late_action, late_standing))
                self.carry_out(late_action, late_standing, due)
        match fate:
            case "guessed wrong" if action is not Action.SWAP:  # a provider has one form for all refreshes
                return self.carry_out(action, standing, now)
            case (
                "answered" | "undelimited" | "cut off" | "unusual" | "half a pair"
                | "guessed" | "guessed wrong"
            ):  # fmt: skip
                return _as_it_arrives(self.carry_out(action, standing, now), fate, now)
            case "unavailable":
                return Later("http_503")
            case "answer lost":
                self.carry_out(action, standing, now)
            case "late":
                self.late.append((now + POLICY.settle - timedelta(seconds=1), action, standing))
            case "never arrived":
                pass
        return Unknown("timeout")

    def _mint(self, now: datetime) -> TokenPair:
        self.minted += 1
        self.alive.add(f"P{self.minted}")
        self.open.add(f"P{self.minted}")
        ends = now + timedelta(minutes=30 if self.minted % 2 else 1)
        refresh_ends = NOW + timedelta(days=30)
        name = Secret(f"P{self.minted}")
        return TokenPair(name, name, ends, refresh_expires_at=refresh_ends)


def _as_it_arrives(outcome: Outcome, fate: Fate, now: datetime) -> Outcome:
    if fate in ("undelimited", "cut off"):
        return _undelimited(outcome, cut=fate == "cut off")
    if not isinstance(outcome, Won) or fate == "answered":
        return outcome
    if fate == "unusual":
        return replace(outcome, whole=False)
    if fate in ("guessed", "guessed wrong"):
        # Under a name that is only like a refresh token's: only a refresh shows whether it is one.
        refresh = outcome.pair.refresh_token if fate == "guessed" else Secret("2026-12-01T00:00:00Z")
        pair = replace(outcome.pair, refresh_token=refresh, expires_at=now)
        return Won(pair, whole=False, ends=outcome.pair.expires_at)
    # A pair that arrived without its access token: only a refresh brings one.
    return Won(replace(outcome.pair, access_token=Secret(""), expires_at=now), whole=False)


def _undelimited(outcome: Outcome, *, cut: bool) -> Outcome:
    """An answer whose end nobody announced: of a renewal's, nobody can tell whether it was cut off."""
    match outcome:
        case Renewed(legacy):
            token = Secret(legacy.token.reveal() + "…") if cut else legacy.token
            return Renewed(replace(legacy, token=token), whole=False)
        case Won() if cut:
            return Unknown("unreadable_pair")
    return outcome


def after_verdict(standing: Standing, verdict: Verdict, now: datetime) -> Standing:
    """What the ledger makes of a verdict."""
    pair = None if verdict.pair_dead else standing.pair
    if pair is not None and verdict.pair_verified:
        pair = replace(pair, verified_at=NOW)
    if verdict.new_pair is not None:
        pair = StoredPair(1, verdict.new_pair, obtained_at=now)
    legacy = verdict.new_legacy or standing.legacy
    if verdict.token_expired:
        legacy = replace(legacy, expires_at=now)
    return replace(
        standing,
        state=verdict.state,
        reason=verdict.reason,
        doubt=verdict.doubt,
        not_before=verdict.not_before,
        tries=verdict.tries,
        pair=pair,
        legacy=legacy,
    )


def agenda(work: Work, moment: datetime = NOW) -> Agenda:
    return Agenda(work, upto=1, max_attempts=100, moment=moment, begun=NOW)


SWAP = agenda(Work.SWAP)


def work(provider: Provider, standing: Standing, fates: list[Fate], todo: Agenda = SWAP) -> Standing:
    """Take a connection to its end; once the fates are used up, every call is answered."""
    policy = replace(POLICY, max_attempts=100)
    breaker, now = Breaker(), NOW
    for _ in range(200):
        match todo.step(standing, now):
            case Wait(until):
                now = until
            case Rest(state, reason):
                return replace(standing, state=state, reason=reason)
            case Call(action):
                outcome = provider.call(action, standing, fates.pop(0) if fates else "answered", now)
                moment = JudgedAt(now, (now - NOW).total_seconds(), 0.5)
                judgement = judge(standing, action, outcome, breaker, moment, policy)
                breaker = judgement.breaker
                standing = after_verdict(standing, judgement.verdict, now)
                now += timedelta(seconds=1)
    pytest.fail("the connection comes to no end")


@settings(max_examples=400)
@given(
    st.sampled_from(["newest-wins", "keep", "never"]),
    st.lists(st.sampled_from(FATES), max_size=8),
    st.sampled_from([None, timedelta(hours=-1), timedelta(hours=1)]),
    st.booleans(),
)
def test_whatever_gets_lost_migrated_means_a_pair_that_works_and_nobody_is_asked_without_need(
    repeat: Repeat, fates: list[Fate], lifetime: timedelta | None, has_handle: bool
) -> None:
    provider = Provider(repeat)
    handle = Secret("h") if has_handle else None
    ends = NOW + lifetime if lifetime is not None else None
    end = work(
        provider, replace(FRESH, legacy=replace(FRESH.legacy, session_handle=handle, expires_at=ends)), fates
    )
    for due, action, standing in provider.late:
        provider.carry_out(action, standing, due)
    if end.state is State.MIGRATED:
        assert end.pair is not None
        assert end.pair.pair.access_token.reveal() in provider.alive
        assert end.pair.pair.refresh_token.reveal() in provider.alive
    else:
        assert end.state is State.NEEDS_CONSENT
        if end.reason == RESPONSE_LOST:
            assert provider.legacy != end.legacy.token.reveal()
        else:
            assert end.reason == "token_expired"
            assert not has_handle
            assert ends is not None
            assert ends < NOW


@settings(max_examples=400)
@given(
    st.sampled_from(["newest-wins", "keep", "never"]),
    st.lists(st.sampled_from(FATES), max_size=8),
    st.sampled_from([Work.VERIFY, Work.REFRESH_ALL, Work.REFRESH_ENDING]),
    st.sampled_from(AppType),
    st.sampled_from([timedelta(minutes=-1), timedelta(minutes=20)]),
)
def test_whatever_gets_lost_in_its_upkeep_migrated_means_a_pair_that_works(
    repeat: Repeat, fates: list[Fate], kind: Work, app_type: AppType, lifetime: timedelta
) -> None:
    provider = Provider(repeat)
    provider.alive.add("P0")
    provider.open.add("P0")
    something_lost = set(fates) & {"answer lost", "late", "cut off"}
    pair = TokenPair(Secret("P0"), Secret("P0"), NOW + lifetime, refresh_expires_at=NOW)
    stored = StoredPair(1, pair, obtained_at=NOW - timedelta(days=25))
    handle = Secret("h") if app_type is AppType.PARTNER else None
    legacy = replace(FRESH.legacy, session_handle=handle, expires_at=NOW)
    migrated = replace(FRESH, state=State.MIGRATED, app_type=app_type, legacy=legacy, pair=stored)
    end = work(provider, migrated, fates, agenda(kind))
    for due, action, standing in provider.late:
        provider.carry_out(action, standing, due)
    if end.state is State.MIGRATED:
        assert end.pair is not None
        assert end.pair.pair.access_token.reveal() in provider.alive
        assert end.pair.pair.refresh_token.reveal() in provider.alive
        assert kind is not Work.VERIFY or end.pair.verified
        assert kind is Work.VERIFY or end.pair is not stored
    else:
        assert (end.state, end.reason) == (State.NEEDS_CONSENT, RESPONSE_LOST)
        assert something_lost


@pytest.mark.parametrize("ends", [NOW, NOW + timedelta(days=1), None])
def test_a_grant_that_somebody_ended_is_not_won_back_with_the_legacy_token(ends: datetime | None) -> None:
    pair = TokenPair(Secret("P0"), Secret("P0"), NOW, refresh_expires_at=ends)
    provider = Provider("keep")
    end = work(
        provider, replace(FRESH, state=State.MIGRATED, pair=StoredPair(1, pair)), [], agenda(Work.REFRESH_ALL)
    )
    reason = "refresh_token_expired" if ends == NOW else "grant_revoked"
    assert (end.state, end.reason) == (State.NEEDS_CONSENT, reason)
    assert provider.minted == 0


@pytest.mark.parametrize("kind", [Work.VERIFY, Work.REFRESH_ALL, Work.REFRESH_ENDING])
def test_a_pair_that_was_handed_over_is_the_applications_alone(kind: Work) -> None:
    pair = TokenPair(Secret("P0"), Secret("P0"), NOW, refresh_expires_at=NOW)
    taken = StoredPair(1, pair, taken=True, obtained_at=NOW - timedelta(days=25))
    step = agenda(kind).step(replace(FRESH, state=State.MIGRATED, pair=taken), NOW)
    assert step == Rest(State.MIGRATED, "")


# --- consents ---


@st.composite
def waiting(draw: st.DrawFn) -> Standing:
    """A connection that waits for its user, of whatever application."""
    return replace(
        draw(standings()),
        app_type=draw(st.sampled_from(AppType)),
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


@given(st.integers(0, 9))
def test_a_code_that_was_under_way_in_a_process_that_died_is_asked_of_its_user_again(tries: int) -> None:
    verdict = died(Action.EXCHANGE_CODE, tries, NOW, POLICY)
    assert (verdict.state, verdict.reason, verdict.doubt) == (State.NEEDS_CONSENT, RESPONSE_LOST, None)


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
    step = Agenda(Work.SWAP, 1, 100, NOW, NOW).step(after, NOW)
    if standing.app_type is not AppType.PARTNER or standing.doubt is Action.EXCHANGE_CODE:
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
        1, "key", AppType.PUBLIC, State.UNCERTAIN, UNVERIFIED, "T1", TenantType.PRACTICE,
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
    if standing.doubt is Action.EXCHANGE_CODE or standing.app_type is not AppType.PARTNER:
        assert (verdict.state, verdict.pair_dead) == (State.NEEDS_CONSENT, True)


# --- the exact edges ---

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
