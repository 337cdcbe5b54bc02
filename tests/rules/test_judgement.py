"""One connection's fault, or everybody's: what a call makes of its connection, and of the job."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.models import (
    NO_REFRESH_TOKEN,
    RESPONSE_LOST,
    Action,
    LegacyToken,
    Secret,
    Standing,
    State,
    StoredPair,
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
    Revoked,
    StopAll,
    Suspect,
    Unknown,
    Won,
)
from migrator.providers.facts import Repeat
from migrator.rules.breaker import SUSPECTS, Breaker, Pause
from migrator.rules.judgement import SUSPECT_PAUSE, JudgedAt, Judgement, judge
from migrator.rules.stop_reasons import Stop
from migrator.rules.terms import Terms
from migrator.rules.transitions import settle
from migrator.rules.verdict import Policy

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
POLICY = Policy(max_attempts=5, settle=timedelta(seconds=80), patience=timedelta(seconds=60))
PAIR = TokenPair(Secret("a"), Secret("r"), NOW + timedelta(minutes=30))
FRESH = Standing(
    1,
    "key",
    "partner",
    State.PENDING,
    "",
    "",
    "ORGANISATION",
    LegacyToken(Secret("t"), Secret("s"), Secret("h")),
)
MIGRATED = replace(FRESH, state=State.MIGRATED, pair=StoredPair(1, PAIR))
IN_DOUBT = replace(FRESH, state=State.UNCERTAIN, reason=RESPONSE_LOST, doubt=Action.SWAP)
REFUSED = Over(State.NEEDS_CONSENT, "grant_revoked", "token_rejected", refused=True)
SUSPECT = Suspect("http_401", "hint")
ASKING = (Action.SWAP, Action.RENEW, Action.REFRESH)


def judged(
    standing: Standing,
    outcome: Outcome,
    action: Action = Action.SWAP,
    breaker: Breaker | None = None,
    policy: Policy = POLICY,
    jitter: float = 0.5,
    *,
    alone: bool = True,
) -> Judgement:
    moment = JudgedAt(NOW, 1000.0, jitter, alone=alone)
    return judge(standing, action, outcome, breaker or Breaker(), moment, policy)


def well(action: Action, ago: timedelta) -> Breaker:
    """What a job knows that has seen such a call go well."""
    return Breaker(accepted=True, went_well={action: NOW - ago})


# --- what is nobody else's business ---


@pytest.mark.parametrize(
    "outcome",
    [
        Won(PAIR),
        Renewed(LegacyToken(Secret("t2"))),
        Reached(()),
        Revoked(),
        RenewFirst("token_expired"),
        Later("http_503", timedelta(seconds=9)),
        Over(State.FAILED, "broken", "http_400"),
        StopAll("invalid_client", "hint"),
        Unknown("timeout"),
        NoRefreshToken(PAIR, "hint"),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
@pytest.mark.parametrize("standing", [FRESH, MIGRATED, IN_DOUBT], ids=["fresh", "migrated", "in doubt"])
def test_what_an_answer_means_by_itself_is_what_becomes_of_its_connection(
    standing: Standing, outcome: Outcome
) -> None:
    breaker = well(Action.SWAP, SECOND)
    judgement = judged(standing, outcome, breaker=breaker)
    pause = timedelta(seconds=0.5 * 0.5)
    assert judgement.verdict == settle(standing, Action.SWAP, outcome, NOW, POLICY, pause)
    assert judgement.breaker == breaker.after(Action.SWAP, outcome, NOW, 1000.0, 60.0)[0]


@given(st.floats(0, 1), st.integers(0, 4))
def test_a_call_that_is_asked_again_waits_longer_each_time_and_never_with_all_others(
    jitter: float, tries: int
) -> None:
    standing = replace(IN_DOUBT, tries=tries)
    breaker = well(Action.SWAP, SECOND)
    verdict = judged(standing, Later("http_503"), breaker=breaker, jitter=jitter).verdict
    assert verdict.not_before is not None
    assert (verdict.not_before - NOW).total_seconds() == pytest.approx(jitter * 0.5 * 2**tries, abs=1e-6)


def test_trouble_that_everybody_has_is_held_against_no_connection() -> None:
    last = replace(FRESH, tries=POLICY.max_attempts - 1)
    alone = judged(last, Later("http_503"), breaker=well(Action.SWAP, SECOND))
    assert alone.verdict.state is State.FAILED
    assert alone.job is None
    among_others = judged(
        last, Later("http_503"), breaker=replace(well(Action.SWAP, SECOND), bad=4, bad_since=999.0)
    )
    assert (among_others.verdict.state, among_others.verdict.tries) == (State.PENDING, 1)
    assert among_others.verdict.not_before == NOW + timedelta(seconds=0.5 * 0.5 * 2**4)
    assert isinstance(among_others.job, Pause)


def test_a_lost_answer_is_its_connections_even_in_everybodys_trouble() -> None:
    verdict = judged(replace(FRESH, tries=3), Unknown("timeout"), breaker=Breaker(bad=9)).verdict
    assert (verdict.state, verdict.tries, verdict.doubt) == (State.UNCERTAIN, 4, Action.SWAP)


# --- what becomes of the job ---


def test_a_stop_says_why_what_to_do_and_from_when_on() -> None:
    judgement = judged(FRESH, Later("rate_limited", timedelta(hours=8), "app"))
    assert judgement.job == Stop(
        "stopped: the provider's limit for the application is reached ('rate_limited')",
        "'migrator resume' goes on",
        NOW + timedelta(hours=8),
    )
    assert judgement.verdict.state is State.PENDING


def test_a_job_bears_trouble_for_as_long_as_its_policy_says() -> None:
    worn = Breaker(accepted=True, bad=9, bad_since=1000.0 - 59.0)
    assert isinstance(judged(FRESH, Later("http_503"), breaker=worn).job, Pause)
    policy = replace(POLICY, patience=timedelta(seconds=59))
    assert isinstance(judged(FRESH, Later("http_503"), breaker=worn, policy=policy).job, Stop)


def test_a_connection_that_stops_the_job_is_recorded_all_the_same() -> None:
    breaker = Breaker(suspects={Action.SWAP: SUSPECTS - 1})
    judgement = judged(FRESH, SUSPECT, breaker=breaker)
    assert isinstance(judgement.job, Stop)
    assert (judgement.verdict.outcome, judgement.verdict.not_before) == ("stop", NOW + SUSPECT_PAUSE)


# --- suspects ---


@pytest.mark.parametrize("standing", [FRESH, IN_DOUBT], ids=["fresh", "in doubt"])
def test_a_suspect_lets_others_go_first(standing: Standing) -> None:
    judgement = judged(standing, SUSPECT)
    assert judgement.verdict.not_before == NOW + SUSPECT_PAUSE
    assert (judgement.verdict.state, judgement.verdict.doubt) == (standing.state, standing.doubt)
    assert judgement.breaker.suspects == {Action.SWAP: 1}


@pytest.mark.parametrize(
    ("ago", "alone"),
    [
        (timedelta(microseconds=1), True),
        (timedelta(seconds=1, microseconds=999_999), True),
        (SUSPECT_PAUSE, False),
        (timedelta(hours=1), False),
    ],
)
def test_a_suspect_is_alone_once_others_fared_better_after_its_first_such_answer(
    ago: timedelta, alone: bool
) -> None:
    suspected = replace(FRESH, reason="http_401", not_before=NOW)  # its first such answer was two seconds ago
    judgement = judged(suspected, SUSPECT, breaker=well(Action.SWAP, ago))
    assert judgement.verdict.state is (State.FAILED if alone else State.PENDING)
    assert judgement.breaker.suspects == ({} if alone else {Action.SWAP: 1})
    assert judgement.job is None


@pytest.mark.parametrize(
    "standing",
    [
        replace(FRESH, not_before=NOW),
        replace(FRESH, not_before=NOW, reason="http_403"),
        replace(FRESH, reason="http_401"),
    ],
    ids=["never suspected", "suspected of something else", "never put off"],
)
def test_nobody_is_given_up_at_a_first_such_answer(standing: Standing) -> None:
    assert judged(standing, SUSPECT, breaker=well(Action.SWAP, SECOND)).verdict.state is State.PENDING


@pytest.mark.parametrize(
    ("suspects", "proven", "alone", "given_up"),
    [(1, True, True, True), (2, True, True, False), (1, False, True, False), (1, True, False, False)],
)
def test_the_last_of_a_job_is_given_up_where_nobody_else_is_suspect(
    suspects: int, proven: bool, alone: bool, given_up: bool
) -> None:
    """Its first such answer came after the last good one, and nobody is left who could fare better."""
    breaker = replace(
        well(Action.SWAP, SUSPECT_PAUSE) if proven else Breaker(), suspects={Action.SWAP: suspects}
    )
    suspected = replace(FRESH, reason="http_401", not_before=NOW)
    judgement = judged(suspected, SUSPECT, breaker=breaker, alone=alone)
    assert judgement.verdict.state is (State.FAILED if given_up else State.PENDING)
    for other in (replace(suspected, reason="http_403"), replace(suspected, not_before=None), FRESH):
        assert judged(other, SUSPECT, breaker=breaker).verdict.state is State.PENDING


def test_others_count_only_with_the_same_kind_of_call() -> None:
    suspected = replace(FRESH, reason="http_401", not_before=NOW)
    assert judged(suspected, SUSPECT, breaker=well(Action.VERIFY, SECOND)).verdict.state is State.PENDING


@given(
    st.sampled_from([FRESH, MIGRATED, IN_DOUBT, replace(IN_DOUBT, doubt=Action.RENEW)]),
    st.sampled_from(ASKING),
    st.integers(0, 4),
)
def test_giving_up_on_a_suspect_forgets_neither_doubt_nor_pair(
    standing: Standing, action: Action, tries: int
) -> None:
    standing = replace(standing, reason=standing.reason or "http_401", not_before=NOW, tries=tries)
    judgement = judged(standing, SUSPECT, action, well(action, SECOND))
    verdict = judgement.verdict
    if (action, standing.doubt) == (Action.SWAP, Action.RENEW):  # what was renewed has never worked
        assert (verdict.state, verdict.reason) == (State.NEEDS_CONSENT, RESPONSE_LOST)
    elif standing.state is State.PENDING:
        assert (verdict.state, verdict.reason) == (State.FAILED, "http_401")
    else:
        assert (verdict.outcome, verdict.problem) == ("over", "http_401")
        assert (verdict.state, verdict.doubt) == (standing.state, standing.doubt)
        assert verdict.tries == tries + 1
        assert verdict.not_before == NOW + timedelta(seconds=0.5 * 0.5 * 2**tries)
    assert judgement.job is None


@pytest.mark.parametrize(("tries", "counted"), [(0, True), (1, False), (4, False)])
def test_a_pair_that_keeps_getting_suspect_answers_is_left_and_stops_nobody_else(
    tries: int, counted: bool
) -> None:
    breaker = Breaker(suspects={Action.VERIFY: SUSPECTS - 1})
    judgement = judged(replace(MIGRATED, tries=tries), SUSPECT, Action.VERIFY, breaker)
    assert isinstance(judgement.job, Stop) is counted
    assert judgement.breaker.suspects == {Action.VERIFY: SUSPECTS if counted else SUSPECTS - 1}
    assert (judgement.verdict.state, judgement.verdict.tries) == (State.MIGRATED, tries + 1)
    assert judgement.verdict.not_before == NOW + SUSPECT_PAUSE


def test_a_swap_in_line_that_was_tried_before_still_counts() -> None:
    assert judged(replace(FRESH, tries=3), SUSPECT).breaker.suspects == {Action.SWAP: 1}


# --- refusals ---


@pytest.mark.parametrize(
    ("tries", "others_well", "believed"),
    [
        (0, False, False),
        (0, True, False),
        (1, False, False),
        (1, True, True),
        (2, False, True),
        (POLICY.max_attempts - 1, False, True),
    ],
)
def test_a_refused_token_is_believed_once_others_fare_better_or_it_was_asked_for_enough(
    tries: int, others_well: bool, believed: bool
) -> None:
    breaker = well(Action.SWAP, SECOND) if others_well else Breaker()
    verdict = judged(replace(FRESH, tries=tries, not_before=NOW), REFUSED, breaker=breaker).verdict
    if believed:
        assert (verdict.state, verdict.reason) == (State.NEEDS_CONSENT, "grant_revoked")
    else:
        assert (verdict.outcome, verdict.problem) == ("later", "token_rejected")
        assert (verdict.state, verdict.tries) == (State.PENDING, tries + 1)
        assert verdict.not_before == NOW + (POLICY.settle if tries else SUSPECT_PAUSE)


def test_with_few_tries_allowed_a_refusal_is_believed_at_the_last() -> None:
    for most, state in ((1, State.NEEDS_CONSENT), (2, State.PENDING)):
        verdict = judged(FRESH, REFUSED, policy=replace(POLICY, max_attempts=most)).verdict
        assert verdict.state is state
    verdict = judged(replace(FRESH, tries=1), REFUSED, policy=replace(POLICY, max_attempts=2)).verdict
    assert verdict.state is State.NEEDS_CONSENT


def test_refusals_are_believed_at_once_only_where_somebody_says_so() -> None:
    for believe, state in ((False, State.PENDING), (True, State.NEEDS_CONSENT)):
        judgement = judged(FRESH, REFUSED, policy=replace(POLICY, believe_refusals=believe))
        assert judgement.verdict.state is state
        assert judgement.breaker.refusals == ({} if believe else {Action.SWAP: 1})
        assert judgement.job is None


@pytest.mark.parametrize(("tries", "stops"), [(0, True), (1, False)])
def test_each_connection_counts_once_among_those_that_are_refused(tries: int, stops: bool) -> None:
    breaker = Breaker(refusals={Action.SWAP: SUSPECTS - 1})
    judgement = judged(replace(FRESH, tries=tries), REFUSED, breaker=breaker)
    assert isinstance(judgement.job, Stop) is stops
    assert judgement.breaker.refusals == {Action.SWAP: SUSPECTS if stops else SUSPECTS - 1}
    assert judgement.verdict.state is State.PENDING


BARE = replace(REFUSED, by_status_alone=True)


@pytest.mark.parametrize("action", [Action.IDENTIFY, Action.SWAP, Action.REFRESH])
@pytest.mark.parametrize("doubt", [None, Action.SWAP, Action.REFRESH])
def test_what_a_wrong_secret_may_be_answered_too_is_believed_only_once_others_fare_better(
    action: Action, doubt: Action | None
) -> None:
    state = State.UNCERTAIN if doubt else State.PENDING
    standing = replace(FRESH, state=state, tries=POLICY.max_attempts, doubt=doubt, not_before=NOW)
    once = replace(POLICY, terms=Terms(repeat=Repeat.NEVER))
    proven = judged(standing, BARE, action=action, breaker=well(action, SECOND), policy=once)
    assert (proven.verdict.state, proven.job) == (State.NEEDS_CONSENT, None)
    assert judged(standing, BARE, action=action, breaker=well(Action.VERIFY, SECOND)).verdict.state is state
    waits = judged(standing, BARE, action=action, alone=False)
    assert (waits.verdict.state, waits.verdict.doubt, waits.job) == (state, doubt, None)
    assert waits.breaker.refusals == {action: 1}, "each of its answers counts"
    stops = judged(standing, BARE, action=action, alone=True)
    assert stops.verdict.state is state
    assert isinstance(stops.job, Stop)
    believe = replace(once, believe_refusals=True)
    believed = judged(standing, BARE, action=action, policy=believe, alone=True)
    assert (believed.verdict.state, believed.job) == (State.NEEDS_CONSENT, None)


def test_refusals_of_refresh_tokens_are_borne_longer_where_they_say_what_is_refused() -> None:
    breaker = Breaker(refusals={Action.REFRESH: SUSPECTS - 1})
    for refused, stops in ((REFUSED, False), (BARE, True)):
        judgement = judged(FRESH, refused, action=Action.REFRESH, breaker=breaker)
        assert isinstance(judgement.job, Stop) is stops


@pytest.mark.parametrize(
    ("ends", "believed"), [(NOW - SECOND, True), (NOW, True), (NOW + SECOND, False), (None, False)]
)
def test_a_refresh_token_that_has_ended_is_refused_to_nobodys_surprise(
    ends: datetime | None, believed: bool
) -> None:
    stored = StoredPair(1, replace(PAIR, refresh_expires_at=ends))
    judgement = judged(replace(MIGRATED, pair=stored), REFUSED, Action.REFRESH)
    assert judgement.verdict.state is (State.NEEDS_CONSENT if believed else State.MIGRATED)
    assert judgement.breaker.refusals == ({} if believed else {Action.REFRESH: 1})


def test_only_a_refresh_is_refused_because_its_token_has_ended() -> None:
    stored = StoredPair(1, replace(PAIR, refresh_expires_at=NOW - SECOND))
    judgement = judged(replace(FRESH, pair=stored), REFUSED, Action.SWAP)
    assert judgement.breaker.refusals == {Action.SWAP: 1}


@pytest.mark.parametrize("doubt", [Action.SWAP, Action.RENEW, Action.REFRESH])
def test_a_refusal_that_a_lost_call_explains_is_believed_and_counts_against_nobody(doubt: Action) -> None:
    judgement = judged(replace(IN_DOUBT, doubt=doubt), REFUSED)
    assert (judgement.verdict.state, judgement.verdict.reason) == (State.NEEDS_CONSENT, RESPONSE_LOST)
    assert judgement.breaker == Breaker()


def test_a_refusal_after_a_refused_verification_is_one_that_no_lost_call_explains() -> None:
    standing = replace(MIGRATED, state=State.UNCERTAIN, reason="unverified_pair", doubt=Action.VERIFY)
    assert judged(standing, REFUSED, Action.REFRESH).breaker.refusals == {Action.REFRESH: 1}


@pytest.mark.parametrize("action", [Action.VERIFY, Action.REVOKE])
def test_what_is_refused_of_an_access_token_ends_no_grant(action: Action) -> None:
    assert judged(MIGRATED, REFUSED, action).breaker == Breaker()


def test_a_failure_that_is_no_refusal_is_the_connections_own() -> None:
    broken = Over(State.FAILED, "broken", "http_400")
    judgement = judged(FRESH, broken)
    assert (judgement.verdict.state, judgement.verdict.reason) == (State.FAILED, "broken")
    assert judgement.breaker == Breaker()


# --- jobs come to an end ---


@pytest.mark.parametrize("after", [None, timedelta(0), timedelta(seconds=30)])
@pytest.mark.parametrize("doubt", [None, Action.SWAP])
def test_a_provider_that_is_never_ready_does_not_keep_the_job_for_ever(
    after: timedelta | None, doubt: Action | None
) -> None:
    breaker, running = Breaker(), 0.0
    standing = replace(FRESH, state=State.UNCERTAIN if doubt else State.PENDING, doubt=doubt)
    for _ in range(1_000):
        moment = JudgedAt(NOW, running, 0.5, alone=True)
        judgement = judge(standing, Action.SWAP, Later("http_503", after), breaker, moment, POLICY)
        verdict, breaker = judgement.verdict, judgement.breaker
        if isinstance(judgement.job, Stop) or verdict.state is State.FAILED:
            return
        if verdict.tries >= POLICY.max_attempts:
            return
        standing = replace(standing, tries=verdict.tries, not_before=verdict.not_before)
        running += max(1.0, after.total_seconds() if after else 0.0)
    pytest.fail("after a thousand calls neither the job nor the connection has come to an end")


def test_a_job_in_which_every_swap_lacks_a_refresh_token_stops_at_the_first() -> None:
    judgement = judged(FRESH, NoRefreshToken(PAIR, "ask for the scope offline_access"))
    assert isinstance(judgement.job, Stop)
    assert "offline_access; then 'migrator resume --retry-failed' goes on" in judgement.job.hint
    assert judgement.verdict.reason == NO_REFRESH_TOKEN
