"""What must happen to a connection next: every case has an answer, and the answer is one that can be done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.models import (
    UNVERIFIED,
    Action,
    AppType,
    LegacyToken,
    Reject,
    Secret,
    Standing,
    State,
    StoredPair,
    TenantType,
    TokenPair,
)
from migrator.providers import find_profile
from migrator.rules.plan import (
    MOST_REJECTS_KEPT,
    Call,
    Decision,
    Rest,
    Step,
    Tally,
    Wait,
    decision,
    expired,
    first_step,
    forecast,
    next_step,
)

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
    app_type = draw(st.sampled_from(AppType))
    state = draw(st.sampled_from(states))
    handle = Secret("h") if app_type is AppType.PARTNER and draw(st.booleans()) else None
    return Standing(
        id=1,
        key="key",
        app_type=app_type,
        state=state,
        reason=draw(st.sampled_from(["word", UNVERIFIED])) if state is State.UNCERTAIN else "word",
        tenant_id="",
        tenant_type=TenantType.ORGANISATION,
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
    step = next_step(standing, NOW)
    if standing.state not in OPEN:
        assert step == Rest(standing.state, "word")
    else:
        assert not isinstance(step, Rest) or step.state is State.NEEDS_CONSENT or being_revoked(standing)


@given(standings(OPEN))
def test_nothing_is_asked_before_its_time(standing: Standing) -> None:
    step = next_step(standing, NOW)
    early = standing.not_before is not None and standing.not_before > NOW
    assert isinstance(step, Wait) is early
    assert not isinstance(step, Wait) or step.until == standing.not_before


@given(standings(OPEN))
def test_a_call_is_one_that_can_be_made(standing: Standing) -> None:
    match next_step(standing, NOW):
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
            assert standing.app_type is AppType.PARTNER
            assert standing.legacy.session_handle is not None
            assert expired(standing.legacy.expires_at, NOW)
        case Call(Action.SWAP):
            assert standing.pair is None
            assert standing.app_type is AppType.PARTNER or standing.doubt is not None
            assert not expired(standing.legacy.expires_at, NOW) or standing.doubt is not None
        case _:
            pass


@given(standings(OPEN))
def test_a_pair_in_hand_is_never_left_for_the_user_to_replace(standing: Standing) -> None:
    if standing.pair is not None and not being_revoked(standing):
        assert not isinstance(next_step(standing, NOW), Rest)


@given(standings((State.UNCERTAIN,)))
def test_what_is_in_doubt_is_asked_and_not_given_up(standing: Standing) -> None:
    if standing.doubt is Action.EXCHANGE_CODE and standing.pair is None:
        # Only its user gets another code, and the legacy token has nothing to do with it.
        due = replace(standing, not_before=None)
        assert next_step(due, NOW) == Rest(State.NEEDS_CONSENT, "response_lost")
    elif standing.doubt is not None and not being_revoked(standing):
        assert not isinstance(next_step(standing, NOW), Rest)


@given(standings((State.PENDING,)))
def test_the_job_does_what_the_dry_run_says(standing: Standing) -> None:
    step = next_step(standing, NOW)
    if isinstance(step, Wait) or standing.pair is not None:
        return
    said = decision(standing, NOW)
    assert said == first_step(standing.app_type, standing.legacy, NOW)
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
    standing = Standing(1, "k", AppType.PARTNER, state, "word", "", TenantType.ORGANISATION, legacy)
    assert decision(standing, NOW) == expected


@pytest.mark.parametrize(
    ("app_type", "handle", "ends", "expected"),
    [
        (AppType.PUBLIC, None, None, Decision(Step.MUST_CONSENT, "public_app")),
        (AppType.PRIVATE, None, None, Decision(Step.MUST_CONSENT, "private_app")),
        (AppType.PARTNER, None, None, Decision(Step.SWAP, "expiry_unknown")),
        (AppType.PARTNER, None, NOW + MINUTE, Decision(Step.SWAP, "valid")),
        (AppType.PARTNER, "h", NOW + MINUTE, Decision(Step.SWAP, "valid")),
        (AppType.PARTNER, "h", NOW + MINUTE / 2, Decision(Step.RENEW_THEN_SWAP, "token_expired")),
        (AppType.PARTNER, "h", NOW - MINUTE, Decision(Step.RENEW_THEN_SWAP, "token_expired")),
        (AppType.PARTNER, None, NOW - MINUTE, Decision(Step.MUST_CONSENT, "token_expired")),
    ],
)
def test_the_first_step_follows_application_expiry_and_handle(
    app_type: AppType, handle: str | None, ends: datetime | None, expected: Decision
) -> None:
    legacy = LegacyToken(Secret("t"), Secret("s"), Secret(handle) if handle else None, ends)
    assert first_step(app_type, legacy, NOW) == expected


def test_the_tally_counts_by_application_step_and_reason() -> None:
    tally = Tally()
    for _ in range(3):
        tally.add(AppType.PARTNER, Decision(Step.SWAP, "valid"))
    tally.add(AppType.PARTNER, Decision(Step.RENEW_THEN_SWAP, "token_expired"))
    tally.add(AppType.PUBLIC, Decision(Step.MUST_CONSENT, "public_app"))
    assert tally.steps[AppType.PARTNER, Step.SWAP, "valid"] == 3
    assert tally.count(Step.SWAP) == 3
    assert tally.count(Step.SWAP, Step.RENEW_THEN_SWAP, Step.MUST_CONSENT) == 5
    assert tally.count() == 0


def test_the_tally_counts_all_rejects_and_keeps_the_first() -> None:
    tally = Tally()
    for line in range(1, MOST_REJECTS_KEPT + 11):
        tally.reject(Reject("f", line, "missing_token", ""))
    assert tally.rejected["missing_token"] == MOST_REJECTS_KEPT + 10
    assert [reject.line for reject in tally.rejects] == list(range(1, MOST_REJECTS_KEPT + 1))


def _tally(swap: int = 0, renew: int = 0, consent: int = 0, done: int = 0) -> Tally:
    tally = Tally()
    for number, step in (
        (swap, Step.SWAP),
        (renew, Step.RENEW_THEN_SWAP),
        (consent, Step.MUST_CONSENT),
        (done, Step.DONE_ALREADY),
    ):
        if number:
            tally.steps[AppType.PARTNER, step, "x"] = number
    return tally


XERO = find_profile("xero")


def test_a_renewal_is_a_call_more() -> None:
    ahead = forecast(
        _tally(swap=10, renew=5, consent=2), XERO, NOW, rate_per_minute=10, certified=True, deadline=None
    )
    assert (ahead.connections, ahead.swaps, ahead.renewals) == (17, 15, 5)
    assert ahead.duration == timedelta(minutes=2)
    assert (ahead.deadline_ok, ahead.days_left, ahead.uncertified_limit) == (None, None, None)


@pytest.mark.parametrize(("own", "used"), [(100, 100), (10_000, 10_000), (99_999, 10_000)])
def test_the_providers_rate_caps_the_jobs_own(own: int, used: int) -> None:
    ahead = forecast(_tally(swap=1), XERO, NOW, rate_per_minute=own, certified=True, deadline=None)
    assert ahead.rate_per_minute == used


@pytest.mark.parametrize(
    ("deadline", "swaps", "in_time", "left"),
    [
        (date(2026, 6, 1), 12 * 60, True, 0),  # the whole day counts
        (date(2026, 6, 1), 12 * 60 + 1, False, 0),
        (date(2026, 5, 31), 1, False, -1),
        (date(2026, 6, 2), 36 * 60, True, 1),
    ],
)
def test_the_deadline_is_the_end_of_its_day(deadline: date, swaps: int, in_time: bool, left: int) -> None:
    ahead = forecast(_tally(swap=swaps), XERO, NOW, rate_per_minute=1, certified=True, deadline=deadline)
    assert (ahead.deadline_ok, ahead.days_left) == (in_time, left)


@pytest.mark.parametrize(
    ("tally", "over"),
    [(_tally(swap=25), 0), (_tally(swap=26), 1), (_tally(swap=20, renew=5, done=3, consent=9), 3)],
)
def test_an_uncertified_application_holds_25(tally: Tally, over: int) -> None:
    ahead = forecast(tally, XERO, NOW, rate_per_minute=1, certified=False, deadline=None)
    assert (ahead.uncertified_limit, ahead.over_uncertified_limit) == (25, over)
    certified = forecast(tally, XERO, NOW, rate_per_minute=1, certified=True, deadline=None)
    assert (certified.uncertified_limit, certified.over_uncertified_limit) == (None, 0)


@pytest.mark.parametrize(("consent", "due"), [(1, None), (2, 1_000)])
def test_the_assessment_is_due_from_1000_connections_however_they_come(consent: int, due: int | None) -> None:
    tally = _tally(swap=500, done=498, consent=consent)
    ahead = forecast(tally, XERO, NOW, rate_per_minute=1, certified=True, deadline=None)
    assert ahead.assessment_from == due


def alike(tally: Tally) -> list[tuple[str, str, str, int, list[int], bool]]:
    return [
        (told.first.source, told.first.reason, told.first.detail, told.rows, told.lines, told.varied)
        for told in tally.rejected_alike()
    ]


def test_rejects_of_one_source_reason_and_sentence_are_told_as_one() -> None:
    tally = Tally()
    for source, line, reason, detail in [
        ("a", 2, "bad", "x"), ("a", 3, "bad", "y"), ("a", 4, "bad", "x"), ("a", 5, "worse", "x"),
        ("b", 9, "bad", "x")
    ]:  # fmt: skip
        tally.reject(Reject(source, line, reason, detail))
    assert alike(tally) == [
        ("a", "bad", "x", 2, [2, 4], False),
        ("a", "bad", "y", 1, [3], False),
        ("a", "worse", "x", 1, [5], False),
        ("b", "bad", "x", 1, [9], False),
    ]


def test_no_sentence_is_said_of_rows_that_have_another() -> None:
    tally = Tally()
    for line in range(2, 22):
        tally.reject(Reject("a", line, "damaged_cell", "first" if line == 2 else "second"))
    assert [(detail, rows) for _, _, detail, rows, _, _ in alike(tally)] == [("first", 1), ("second", 19)]


def test_many_rows_with_a_sentence_each_are_told_as_one_that_says_so() -> None:
    tally = Tally()
    for line in range(2, 10_002):
        detail = f"The same stands in a:{line - 1}." if line % 2 else "Twice."
        tally.reject(Reject("a", line, "duplicate_token", detail))
    same, varied = alike(tally)
    assert same == ("a", "duplicate_token", "Twice.", 5_000, [2, 4, 6, 8], False)
    assert varied == ("a", "duplicate_token", "The same stands in a:2.", 5_000, [], True)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "y"]), st.integers(0, 60).map(str))))
def test_every_rejected_row_is_told_once_and_every_sentence_is_true(rows: list[tuple[str, str, str]]) -> None:
    tally = Tally()
    for line, (source, reason, detail) in enumerate(rows, 1):
        tally.reject(Reject(source, line, reason, detail))
    told = list(tally.rejected_alike())
    assert sum(each.rows for each in told) == len(rows)
    for each in told:
        assert each.many or len(each.lines) == each.rows
        for line in [each.first.line, *([] if each.varied else each.lines)]:
            assert rows[line - 1] == (each.first.source, each.first.reason, each.first.detail)
