"""What must happen to a connection next: every case has an answer, and the answer is one that can be done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
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
    TokenPair,
)
from migrator.providers.facts import Renewal, RenewalRule, Repeat
from migrator.rules.next_step import (
    Call,
    Decision,
    Rest,
    Step,
    Wait,
    decision,
    expired,
    first_step,
    next_step,
    renewable,
)
from migrator.rules.terms import Terms
from tests.rules.strategies import FRESH, TYPED

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OPEN = (State.PENDING, State.UNCERTAIN)

moments = st.one_of(
    st.sampled_from([NOW, NOW + MINUTE, NOW + MINUTE - timedelta(microseconds=1)]),
    st.integers(-100_000, 100_000).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)
pairs = st.builds(
    lambda moment, verified: StoredPair(
        1, TokenPair(Secret("a"), Secret("r"), moment), NOW if verified else None
    ),
    moments,
    st.booleans(),
)


@st.composite
def standings(draw: st.DrawFn, states: tuple[State, ...] = tuple(State)) -> Standing:
    app_type = draw(st.sampled_from(["partner", "public", "private"]))
    state = draw(st.sampled_from(states))
    handle = Secret("h") if app_type == "partner" and draw(st.booleans()) else None
    return Standing(
        id=1,
        key="key",
        app_type=app_type,
        state=state,
        reason=draw(st.sampled_from(["word", UNVERIFIED])) if state is State.UNCERTAIN else "word",
        tenant_id="",
        tenant_type="ORGANISATION",
        legacy=LegacyToken(Secret("t"), Secret("s"), handle, draw(st.none() | moments)),
        pair=draw(st.none() | pairs),
        doubt=draw(st.none() | st.sampled_from(Action)) if state is State.UNCERTAIN else None,
        not_before=draw(st.none() | moments),
        tries=draw(st.integers(0, 10)),
    )


def being_revoked(standing: Standing) -> bool:
    """Whether somebody was undoing it when the answer was lost: only that somebody goes on."""
    return standing.doubt is Action.REVOKE


@given(standings())
def test_what_is_not_open_rests_as_it_is(standing: Standing) -> None:
    step = next_step(standing, TYPED, NOW)
    if standing.state not in OPEN:
        assert step == Rest(standing.state, "word")
    else:
        assert not isinstance(step, Rest) or step.state is State.NEEDS_CONSENT or being_revoked(standing)


@given(standings(OPEN))
def test_nothing_is_asked_before_its_time(standing: Standing) -> None:
    step = next_step(standing, TYPED, NOW)
    early = standing.not_before is not None and standing.not_before > NOW
    assert isinstance(step, Wait) is early
    assert not isinstance(step, Wait) or step.until == standing.not_before


@given(standings(OPEN))
def test_a_call_is_one_that_can_be_made(standing: Standing) -> None:
    match next_step(standing, TYPED, NOW):
        case Call(Action.VERIFY):
            assert standing.pair is not None
            assert standing.doubt is not Action.REFRESH or standing.reason == UNVERIFIED
            assert not expired(standing.pair.pair.expires_at, NOW)
        case Call(Action.REFRESH):
            assert standing.pair is not None
            refresh_lost = standing.doubt is Action.REFRESH and standing.reason != UNVERIFIED
            assert refresh_lost or expired(standing.pair.pair.expires_at, NOW)
        case Call(Action.RENEW):
            assert standing.pair is None
            assert standing.app_type == "partner"
            assert standing.legacy.session_handle is not None
            assert expired(standing.legacy.expires_at, NOW)
        case Call(Action.SWAP):
            assert standing.pair is None
            assert standing.app_type == "partner" or standing.doubt is not None
            assert not expired(standing.legacy.expires_at, NOW) or standing.doubt is not None
        case _:
            pass


@given(standings(OPEN))
def test_a_pair_in_hand_is_never_left_for_the_user_to_replace(standing: Standing) -> None:
    if standing.pair is not None and not being_revoked(standing):
        assert not isinstance(next_step(standing, TYPED, NOW), Rest)


@given(standings((State.UNCERTAIN,)))
def test_what_is_in_doubt_is_asked_and_not_given_up(standing: Standing) -> None:
    if standing.doubt is Action.EXCHANGE_CODE and standing.pair is None:
        # Only its user gets another code, and the legacy token has nothing to do with it.
        due = replace(standing, not_before=None)
        assert next_step(due, TYPED, NOW) == Rest(State.NEEDS_CONSENT, "response_lost")
    elif standing.doubt is not None and not being_revoked(standing):
        assert not isinstance(next_step(standing, TYPED, NOW), Rest)


@given(standings((State.PENDING,)))
def test_the_job_does_what_the_dry_run_says(standing: Standing) -> None:
    step = next_step(standing, TYPED, NOW)
    if isinstance(step, Wait) or standing.pair is not None:
        return
    said = decision(standing, TYPED, NOW)
    assert said == first_step(standing.app_type, standing.legacy, TYPED, NOW)
    assert step == {
        Step.SWAP: Call(Action.SWAP),
        Step.RENEW_THEN_SWAP: Call(Action.RENEW),
        Step.MUST_CONSENT: Rest(State.NEEDS_CONSENT, said.reason),
    }.get(said.step)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.MIGRATED, Decision(Step.DONE_ALREADY, "migrated")),
        (State.NEEDS_CONSENT, Decision(Step.MUST_CONSENT, "word")),
        (State.FAILED, Decision(Step.CANNOT_BE_USED, "word")),
        (State.UNCERTAIN, Decision(Step.SWAP, "response_lost")),
        (State.IN_FLIGHT, Decision(Step.SWAP, "response_lost")),
        (State.PENDING, Decision(Step.SWAP, "expiry_unknown")),
    ],
)
def test_the_plan_of_a_known_connection_follows_its_state(state: State, expected: Decision) -> None:
    legacy = LegacyToken(Secret("t"), Secret("s"))
    standing = Standing(1, "k", "partner", state, "word", "", "ORGANISATION", legacy)
    assert decision(standing, TYPED, NOW) == expected


@pytest.mark.parametrize(
    ("app_type", "handle", "ends", "expected"),
    [
        ("public", None, None, Decision(Step.MUST_CONSENT, "public_app")),
        ("private", None, None, Decision(Step.MUST_CONSENT, "private_app")),
        ("partner", None, None, Decision(Step.SWAP, "expiry_unknown")),
        ("partner", None, NOW + MINUTE, Decision(Step.SWAP, "valid")),
        ("partner", "h", NOW + MINUTE, Decision(Step.SWAP, "valid")),
        ("partner", "h", NOW + MINUTE / 2, Decision(Step.RENEW_THEN_SWAP, "token_expired")),
        ("partner", "h", NOW - MINUTE, Decision(Step.RENEW_THEN_SWAP, "token_expired")),
        ("partner", None, NOW - MINUTE, Decision(Step.MUST_CONSENT, "token_expired")),
    ],
)
def test_the_first_step_follows_application_expiry_and_handle(
    app_type: str, handle: str | None, ends: datetime | None, expected: Decision
) -> None:
    legacy = LegacyToken(Secret("t"), Secret("s"), Secret(handle) if handle else None, ends)
    assert first_step(app_type, legacy, TYPED, NOW) == expected


DAY = timedelta(days=1)
WINDOW = Renewal(RenewalRule.WINDOW, window=30 * DAY, ahead=2 * DAY)
EARLY = Renewal(RenewalRule.EXPIRED, ahead=DAY)
REFUSED = Renewal(RenewalRule.REFUSED)
HANDLED = Renewal(RenewalRule.REFUSED, needs_handle=True)
TOLD = replace(FRESH, reason="token_expired")
ONCE = Terms(repeat=Repeat.NEVER)
UNKNOWN = replace(FRESH, state=State.UNCERTAIN, reason=RESPONSE_LOST)


def ending(ends: datetime | None, *, renewed: bool = False, handle: bool = False) -> LegacyToken:
    return LegacyToken(Secret("t"), Secret("s"), Secret("h") if handle else None, ends, renewed)


@pytest.mark.parametrize(
    ("renewal", "legacy", "can_be"),
    [
        (Renewal(), ending(NOW, handle=True), False),
        (Renewal(RenewalRule.EXPIRED), ending(None), True),
        (Renewal(RenewalRule.EXPIRED), ending(NOW, renewed=True), True),
        (Renewal(RenewalRule.EXPIRED, needs_handle=True), ending(NOW), False),
        (Renewal(RenewalRule.EXPIRED, needs_handle=True), ending(NOW, handle=True), True),
        (WINDOW, ending(None), False),
        (WINDOW, ending(NOW + 30 * DAY + MINUTE), False),
        (WINDOW, ending(NOW + 30 * DAY), True),
        (WINDOW, ending(NOW + MINUTE), True),
        (WINDOW, ending(NOW), False),
        (REFUSED, ending(None), True),
        (REFUSED, ending(None, renewed=True), False),
        (HANDLED, ending(None), False),
    ],
)
def test_a_legacy_token_is_renewable_as_the_provider_says(
    renewal: Renewal, legacy: LegacyToken, can_be: bool
) -> None:
    assert renewable(legacy, renewal, NOW) is can_be


@pytest.mark.parametrize(
    ("renewal", "legacy", "expected"),
    [
        (Renewal(), ending(NOW), Decision(Step.MUST_CONSENT, "token_expired")),
        (Renewal(), ending(NOW + DAY), Decision(Step.SWAP, "valid")),
        (EARLY, ending(NOW + DAY), Decision(Step.SWAP, "valid")),
        (EARLY, ending(NOW + DAY - MINUTE), Decision(Step.RENEW_THEN_SWAP, "token_expired")),
        # One that was renewed is used: another renewal may give no longer one.
        (EARLY, ending(NOW + DAY - MINUTE, renewed=True), Decision(Step.SWAP, "valid")),
        (EARLY, ending(NOW, renewed=True), Decision(Step.RENEW_THEN_SWAP, "token_expired")),
        (WINDOW, ending(NOW + DAY), Decision(Step.RENEW_THEN_SWAP, "token_expired")),
        (WINDOW, ending(NOW + 3 * DAY), Decision(Step.SWAP, "valid")),
        (WINDOW, ending(NOW), Decision(Step.MUST_CONSENT, "token_expired")),
        # Only the provider tells whether it has ended.
        (REFUSED, ending(NOW), Decision(Step.SWAP, "token_expired")),
        (REFUSED, ending(NOW + DAY), Decision(Step.SWAP, "valid")),
        (REFUSED, ending(None), Decision(Step.SWAP, "expiry_unknown")),
    ],
)
def test_the_first_step_follows_from_how_tokens_are_renewed(
    renewal: Renewal, legacy: LegacyToken, expected: Decision
) -> None:
    assert first_step("", legacy, Terms(renewal=renewal), NOW) == expected


def test_a_token_of_which_the_provider_has_said_that_it_has_ended_is_renewed() -> None:
    terms = Terms(renewal=REFUSED)
    uncertain = replace(TOLD, state=State.UNCERTAIN, doubt=Action.SWAP)
    for standing in (TOLD, uncertain):
        assert next_step(standing, terms, NOW) == Call(Action.RENEW)
        assert next_step(standing, Terms(), NOW) == Call(Action.SWAP)
        assert next_step(replace(standing, reason=RESPONSE_LOST), terms, NOW) == Call(Action.SWAP)


def test_whose_a_token_is_is_asked_before_the_swap_and_only_where_nobody_knows() -> None:
    terms = Terms(identifies=True)
    assert next_step(FRESH, terms, NOW) == Call(Action.IDENTIFY)
    assert next_step(FRESH, Terms(), NOW) == Call(Action.SWAP)
    assert next_step(replace(FRESH, user_id="u"), terms, NOW) == Call(Action.SWAP)
    renewing = replace(UNKNOWN, doubt=Action.RENEW)
    assert next_step(renewing, terms, NOW) == Call(Action.IDENTIFY), "nothing was swapped yet"
    assert next_step(renewing, Terms(), NOW) == Call(Action.SWAP)
    assert next_step(replace(renewing, user_id="u"), terms, NOW) == Call(Action.SWAP)
    assert next_step(replace(UNKNOWN, doubt=Action.SWAP), terms, NOW) == Call(Action.SWAP)


@pytest.mark.parametrize("repeat", Repeat)
@pytest.mark.parametrize("doubt", [Action.SWAP, Action.REFRESH, Action.VERIFY, Action.RENEW])
def test_what_got_lost_is_asked_again_only_where_that_may_bring_a_pair(repeat: Repeat, doubt: Action) -> None:
    standing, terms = replace(UNKNOWN, doubt=doubt), Terms(repeat=repeat)
    spent = repeat in (Repeat.NEVER, Repeat.ONCE_PER_USER) and doubt is not Action.RENEW
    expected = Rest(State.NEEDS_CONSENT, RESPONSE_LOST) if spent else Call(Action.SWAP)
    assert next_step(standing, terms, NOW) == expected
    said = Decision(Step.MUST_CONSENT if spent else Step.SWAP, RESPONSE_LOST)
    assert decision(standing, terms, NOW) == said, "as the dry run says"


def test_the_plan_of_what_was_under_way_follows_from_the_repeat_rule() -> None:
    in_flight = replace(UNKNOWN, state=State.IN_FLIGHT)
    assert decision(in_flight, ONCE, NOW) == Decision(Step.MUST_CONSENT, RESPONSE_LOST)
    assert decision(in_flight, Terms(), NOW) == Decision(Step.SWAP, RESPONSE_LOST)
    ended = replace(in_flight, legacy=ending(NOW))
    renewing = Terms(renewal=EARLY)
    assert decision(ended, renewing, NOW) == Decision(Step.RENEW_THEN_SWAP, RESPONSE_LOST)
    stored = replace(in_flight, pair=StoredPair(1, TokenPair(Secret("a"), Secret("r"), NOW)))
    for standing, terms in ((stored, ONCE), (replace(stored, consented=True), Terms())):
        assert decision(standing, terms, NOW) == Decision(Step.DONE_ALREADY, UNVERIFIED)
    assert decision(stored, Terms(), NOW) == Decision(Step.SWAP, RESPONSE_LOST)


@pytest.mark.parametrize(
    ("refresh", "refreshes", "verifies", "ended", "expected"),
    [
        ("r", True, True, False, Call(Action.VERIFY)),
        ("r", True, True, True, Call(Action.REFRESH)),
        ("r", True, False, False, Call(Action.REFRESH)),
        ("r", False, True, True, Call(Action.VERIFY)),
        ("", True, True, True, Call(Action.VERIFY)),
        ("r", False, False, False, Rest(State.UNCERTAIN, UNVERIFIED)),
        ("", True, False, False, Rest(State.UNCERTAIN, UNVERIFIED)),
    ],
)
def test_a_pair_is_seen_to_work_by_whatever_can_show_it(
    refresh: str, refreshes: bool, verifies: bool, ended: bool, expected: Call | Rest
) -> None:
    pair = TokenPair(Secret("a"), Secret(refresh), NOW if ended else None)
    standing = replace(UNKNOWN, reason=UNVERIFIED, doubt=Action.SWAP, pair=StoredPair(1, pair))
    assert next_step(standing, Terms(refreshes=refreshes, verifies=verifies), NOW) == expected
