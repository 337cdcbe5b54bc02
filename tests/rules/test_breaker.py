"""When a job goes on, pauses, and stops: the fault of one connection told from the fault that hits all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.models import Action, LegacyToken, Secret, State, TokenPair
from migrator.providers import (
    RATE_LIMITED,
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
from migrator.providers.network_faults import LASTING
from migrator.rules.breaker import (
    LONGEST_TROUBLE_PAUSE,
    TROUBLE,
    Breaker,
    Pause,
    Reaction,
    Trip,
)
from migrator.rules.pacing import LONGEST_PAUSE

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WON = Won(TokenPair(Secret("a"), Secret("r"), NOW))
RENEWED = Renewed(LegacyToken(Secret("t")))
BAD = Unknown("timeout")
DOWN = Later("http_503")


def down_for(seconds: float) -> Later:
    """The provider is down, and says for how long."""
    return Later("http_503", timedelta(seconds=seconds))


SUSPECT = Suspect("http_401", "hint")
NO_REFRESH = NoRefreshToken(WON.pair, "hint")
PAGE = Unknown("not_the_providers", "hint")
HOURS = Later("rate_limited", timedelta(hours=8))
LIMIT = Later("rate_limited", None, "app")
ACCEPTED: list[Outcome] = [WON, RENEWED, Reached(()), Revoked(), RenewFirst("token_expired")]
REFUSED = Over(State.NEEDS_CONSENT, "grant_revoked", "token_rejected", refused=True)


class Listener:
    """Keeps what a breaker has become, answer by answer."""

    def __init__(self, patience: float = 60.0) -> None:
        self.breaker = Breaker()
        self.patience = patience

    def hear(self, outcome: Outcome, running: float = 1000.0, action: Action = Action.SWAP) -> Reaction:
        self.breaker, reaction = self.breaker.after(action, outcome, NOW, running, self.patience)
        return reaction

    def hear_times(self, number: int, outcome: Outcome, action: Action = Action.SWAP) -> list[Reaction]:
        return [self.hear(outcome, action=action) for _ in range(number)]

    def refuse(self, action: Action = Action.SWAP) -> Reaction:
        self.breaker, reaction = self.breaker.refused(action, REFUSED)
        return reaction


@pytest.fixture
def job() -> Listener:
    return Listener()


@pytest.fixture
def proven() -> Listener:
    listener = Listener()
    listener.hear(WON)
    return listener


# --- caution ---


@pytest.mark.parametrize("outcome", ACCEPTED, ids=lambda outcome: type(outcome).__name__)
def test_whatever_shows_that_the_application_is_known_ends_the_caution(
    job: Listener, outcome: Outcome
) -> None:
    assert job.breaker.cautious
    assert job.hear(outcome) is None
    assert not job.breaker.cautious


@pytest.mark.parametrize(
    "outcome",
    [
        Later("rate_limited", timedelta(seconds=3)),
        LIMIT,
        Over(State.FAILED, "refused", "http_418"),
        StopAll("invalid_client", "hint"),
        NO_REFRESH,
        PAGE,
        BAD,
        DOWN,
        SUSPECT,
    ],
    ids=str,
)
def test_no_other_answer_proves_anything(job: Listener, outcome: Outcome) -> None:
    job.hear(outcome)
    assert job.breaker.cautious


def test_a_renewal_proves_nothing_of_what_it_prepares(job: Listener) -> None:
    assert job.hear(RENEWED, action=Action.RENEW) is None
    assert job.breaker.cautious
    assert job.breaker.went_well_since(Action.RENEW, NOW - timedelta(seconds=1))


def test_what_went_well_is_known_by_kind_and_time(proven: Listener) -> None:
    assert proven.breaker.went_well_since(Action.SWAP, NOW - timedelta(microseconds=1))
    assert not proven.breaker.went_well_since(Action.SWAP, NOW)
    assert not proven.breaker.went_well_since(Action.VERIFY, NOW - timedelta(days=1))


# --- limits ---


def test_a_limit_of_the_application_pauses_everybody_as_long_as_it_says(proven: Listener) -> None:
    limit = Later("rate_limited", timedelta(seconds=7), "app")
    assert proven.hear(limit) == Pause(7.0, limit_reached=True)


def test_a_limit_that_the_answer_names_is_named_on(proven: Listener) -> None:
    limit = Later("rate_limited", timedelta(seconds=7), "app", "swaps")
    assert proven.hear(limit) == Pause(7.0, limit_reached=True, limit="swaps")


@pytest.mark.parametrize("after", [None, timedelta(0)])
def test_a_limit_that_does_not_say_how_long_pauses_everybody_longer_each_time(
    proven: Listener, after: timedelta | None
) -> None:
    limit = Later("rate_limited", after, "app")
    outcomes: list[Outcome] = [limit, limit, limit, WON, limit, RenewFirst("token_expired"), limit]
    pauses = [proven.hear(outcome) for outcome in outcomes]
    assert [pause.seconds for pause in pauses if isinstance(pause, Pause)] == [0.5, 1, 2, 0.5, 0.5]
    assert all(pause.limit_reached for pause in pauses if isinstance(pause, Pause))


def test_a_limit_of_one_connection_is_nobody_elses(proven: Listener) -> None:
    before = proven.breaker
    assert proven.hear(Later("rate_limited", timedelta(seconds=600))) is None
    assert proven.hear(Later("rate_limited")) is None
    assert proven.breaker == before


def test_connections_that_are_all_put_off_for_hours_are_at_everybodys_limit(job: Listener) -> None:
    assert job.hear_times(4, HOURS) == [None] * 4
    job.hear(Later("rate_limited", timedelta(minutes=15)))  # which a job waits for itself
    assert job.hear(HOURS) == Trip("rate_limited", 8 * 3600.0)


@pytest.mark.parametrize("good", ACCEPTED, ids=lambda outcome: type(outcome).__name__)
def test_a_good_answer_between_shows_that_it_is_their_own_limit(job: Listener, good: Outcome) -> None:
    for _ in range(3):
        assert job.hear_times(4, HOURS) == [None] * 4
        job.hear(good)


def test_a_limit_of_the_application_that_lasts_stops_the_job_and_says_for_how_long(job: Listener) -> None:
    assert job.hear(Later("rate_limited", timedelta(seconds=900), "app")) == Pause(900.0, limit_reached=True)
    day = Later("rate_limited", timedelta(days=1), "app")
    assert Listener().hear(day) == Trip("rate_limited", 86_400.0)


def test_a_limit_that_is_reached_for_a_quarter_of_an_hour_stops_the_job(job: Listener) -> None:
    assert isinstance(job.hear(LIMIT, 1000.0), Pause)
    assert isinstance(job.hear(LIMIT, 1899.0), Pause)  # a second more, and it is 900
    assert job.hear(LIMIT, 1899.0) == Trip("rate_limited", None)


def test_the_time_at_a_limit_begins_anew_after_a_good_answer(job: Listener) -> None:
    job.hear(LIMIT, 1000.0)
    job.hear(WON, 1890.0)
    assert job.hear(LIMIT, 1900.0) == Pause(0.5, limit_reached=True)


# --- suspects and refusals ---


def test_what_every_connection_would_get_stops_the_job_at_once(proven: Listener) -> None:
    before = proven.breaker
    assert proven.hear(StopAll("invalid_client", "hint")) == Trip("invalid_client")
    assert proven.breaker == before


def test_five_suspects_stop_a_job_that_was_never_proven(job: Listener) -> None:
    assert job.hear_times(5, SUSPECT) == [None] * 4 + [Trip("http_401")]


@given(st.integers(0, 4), st.integers(0, 9))
def test_one_good_answer_turns_suspicion_to_the_single_connection(before: int, after: int) -> None:
    job = Listener()
    job.hear_times(before, SUSPECT)
    job.hear(WON)
    assert job.hear_times(after, SUSPECT) == [None] * after


def test_ten_suspects_in_a_row_stop_even_a_job_that_went_well(proven: Listener) -> None:
    assert proven.hear_times(10, SUSPECT) == [None] * 9 + [Trip("http_401")]


def test_suspects_are_counted_for_each_kind_of_call(job: Listener) -> None:
    job.hear_times(4, SUSPECT, Action.RENEW)
    assert job.hear_times(5, SUSPECT, Action.SWAP) == [None] * 4 + [Trip("http_401")]
    assert job.hear(SUSPECT, action=Action.RENEW) == Trip("http_401")


@pytest.mark.parametrize("outcome", [NO_REFRESH, PAGE], ids=["no refresh token", "a page"])
def test_what_is_hardly_one_connections_fault_stops_an_unproven_job_at_once(
    job: Listener, outcome: NoRefreshToken | Unknown
) -> None:
    job.hear(RENEWED, action=Action.RENEW)  # which shows nothing of swaps
    assert job.hear(outcome) == Trip(outcome.problem)


@pytest.mark.parametrize("outcome", [NO_REFRESH, PAGE], ids=["no refresh token", "a page"])
def test_a_proven_job_goes_on_through_some_of_them(job: Listener, outcome: NoRefreshToken | Unknown) -> None:
    for _ in range(3):
        job.hear(WON)
        assert not any(isinstance(reaction, Trip) for reaction in job.hear_times(9, outcome))
    assert job.hear(outcome) == Trip(outcome.problem)


def test_pages_slow_a_proven_job_as_any_trouble_does(proven: Listener) -> None:
    reactions = proven.hear_times(5, PAGE)
    assert reactions[:4] == [None] * 4
    assert isinstance(reactions[4], Pause)
    assert proven.breaker.in_trouble
    proven.hear(WON)
    assert not proven.breaker.in_trouble


def test_a_refresh_that_keeps_the_refresh_token_went_well(job: Listener) -> None:
    assert job.hear_times(20, NO_REFRESH, Action.REFRESH) == [None] * 20
    assert not job.breaker.cautious


def test_refusals_in_a_row_stop_a_job_later_once_it_is_proven(job: Listener) -> None:
    assert [job.refuse() for _ in range(5)] == [None] * 4 + [Trip("token_rejected")]
    job.hear(WON)
    assert [job.refuse() for _ in range(49)] == [None] * 49
    job.hear(WON)
    assert [job.refuse() for _ in range(50)] == [None] * 49 + [Trip("token_rejected")]


def test_a_refused_grant_shows_that_the_client_is_known_so_that_more_are_borne(job: Listener) -> None:
    reactions = [job.refuse(Action.REFRESH) for _ in range(50)]
    assert reactions == [None] * 49 + [Trip("token_rejected")]


def test_another_failure_of_one_connection_teaches_nothing(proven: Listener) -> None:
    before = proven.breaker
    assert proven.hear(Over(State.FAILED, "broken", "http_400")) is None
    assert proven.breaker == before


# --- trouble ---


def test_five_bad_answers_make_a_confident_job_cautious_and_a_good_one_confident_again(
    proven: Listener,
) -> None:
    assert proven.hear_times(4, BAD) == [None] * 4
    assert not proven.breaker.cautious
    assert isinstance(proven.hear(DOWN), Pause)
    assert proven.breaker.cautious
    proven.hear(WON)
    assert not proven.breaker.cautious
    assert proven.hear(BAD) is None


@pytest.mark.parametrize("good", ACCEPTED, ids=lambda outcome: type(outcome).__name__)
def test_trouble_is_counted_from_the_last_good_answer(proven: Listener, good: Outcome) -> None:
    proven.hear_times(9, BAD)
    proven.hear(good)
    assert proven.breaker.bad == 0
    assert proven.hear_times(4, BAD) == [None] * 4


def test_one_bad_answer_is_trouble_while_nothing_is_proven(job: Listener) -> None:
    assert not job.breaker.in_trouble
    job.hear(BAD)
    assert job.breaker.in_trouble


@pytest.mark.parametrize("outcome", [BAD, DOWN], ids=str)
def test_each_bad_answer_lengthens_the_pause_up_to_a_bound(outcome: Outcome) -> None:
    job = Listener(patience=1e9)
    pauses = [reaction.seconds for reaction in job.hear_times(40, outcome) if isinstance(reaction, Pause)]
    assert pauses[:6] == [0.5, 1, 2, 4, 8, 15]
    assert pauses[6:] == [LONGEST_TROUBLE_PAUSE] * 34


@given(st.floats(0, 59.9))
def test_trouble_is_borne_as_long_as_patience_lasts(elapsed: float) -> None:
    job = Listener()
    assert all(isinstance(job.hear(DOWN, 100.0), Pause) for _ in range(9))
    assert isinstance(job.hear(DOWN, 100.0 + elapsed), Pause)
    assert job.hear(DOWN, 160.0) == Trip("http_503")


@given(st.floats(60, 1e6), st.booleans())
def test_a_few_bad_answers_never_stop_a_job_however_long_they_take(elapsed: float, proven: bool) -> None:
    job = Listener()
    if proven:
        job.hear(WON)
    reactions = [job.hear(DOWN, 0.0), *(job.hear(DOWN, elapsed) for _ in range(TROUBLE - 2))]
    assert not any(isinstance(reaction, Trip) for reaction in reactions)
    assert isinstance(job.hear(DOWN, elapsed), Trip)


@pytest.mark.parametrize("problem", sorted(LASTING))
def test_what_no_waiting_mends_stops_a_job_at_once_unless_something_has_gone_well(problem: str) -> None:
    lasting = Later(problem)
    assert Listener().hear(lasting) == Trip(problem)
    renewed, swapped = Listener(), Listener()
    renewed.hear(RENEWED, action=Action.RENEW)
    assert renewed.hear(lasting) == Trip(problem)
    swapped.hear(WON)
    assert [swapped.hear(lasting, 0.0) for _ in range(4)] == [None] * 4
    assert isinstance(swapped.hear(lasting, 59.0), Pause)
    assert swapped.hear(lasting, 60.0) == Trip(problem)


def test_patience_begins_anew_after_a_good_answer() -> None:
    job = Listener()
    for _ in range(10):
        job.hear(DOWN, 0.0)
    job.hear(WON)
    reactions = [job.hear(DOWN, 59.0 + second) for second in range(10)]
    assert not any(isinstance(reaction, Trip) for reaction in reactions)
    assert job.hear(DOWN, 119.0) == Trip("http_503")


# --- a provider that says for how long it is down ---


@pytest.mark.parametrize("seconds", [40.0, LONGEST_PAUSE])
def test_everybody_waits_as_long_as_the_provider_says_that_it_is_down(job: Listener, seconds: float) -> None:
    assert job.hear(down_for(seconds)) == Pause(seconds)


def test_a_wait_shorter_than_the_pause_of_any_trouble_shortens_nothing(job: Listener) -> None:
    pauses = [reaction.seconds for reaction in job.hear_times(4, down_for(1)) if isinstance(reaction, Pause)]
    assert pauses == [1.0, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("seconds", [0.0, 40.0, LONGEST_PAUSE, LONGEST_PAUSE + 1, 40_000.0])
def test_one_connection_that_shall_wait_neither_holds_up_nor_stops_a_proven_job(
    proven: Listener, seconds: float
) -> None:
    for _ in range(3):
        assert proven.hear_times(TROUBLE - 1, down_for(seconds)) == [None] * (TROUBLE - 1)
        assert not proven.breaker.cautious
        proven.hear(WON)


def test_a_proven_job_believes_the_fifth_in_a_row(proven: Listener) -> None:
    assert proven.hear_times(5, down_for(40)) == [None] * 4 + [Pause(40.0)]


@pytest.mark.parametrize("seconds", [LONGEST_PAUSE + 1, 40_000.0])
def test_a_provider_that_is_down_for_longer_stops_a_job_that_says_when_to_go_on(
    job: Listener, proven: Listener, seconds: float
) -> None:
    down = down_for(seconds)
    assert proven.hear_times(5, down) == [None] * 4 + [Trip("http_503", seconds)]
    # While nothing is proven, it may still be one connection's trouble: others are tried, one at a time.
    assert job.hear_times(5, down) == [*(Pause(wait) for wait in (0.5, 1, 2, 4)), Trip("http_503", seconds)]


def test_what_is_waited_for_as_told_costs_no_patience(job: Listener) -> None:
    """Sixty seconds of it: they begin when the time that the provider named is over."""
    for _ in range(5):
        job.hear(down_for(600), 1000.0)
    assert isinstance(job.hear(BAD, 1000.0 + 600 + 59.9), Pause)
    assert job.hear(BAD, 1000.0 + 600 + 60) == Trip("timeout")


def test_answers_that_came_together_name_the_same_time_once(proven: Listener) -> None:
    assert proven.hear_times(32, down_for(600))[4:] == [Pause(600.0)] * 28
    assert proven.hear(down_for(700)) == Pause(700.0)
    assert proven.hear(down_for(901)) == Trip("http_503", 901.0)


def test_a_provider_that_keeps_naming_times_is_believed_for_a_quarter_of_an_hour(job: Listener) -> None:
    heard = [job.hear(down_for(150), 1000.0 + 150 * number) for number in range(7)]
    assert heard == [Pause(150.0)] * 6 + [Trip("http_503", 150.0)]
    # Not even then while it may be one connection's trouble.
    job = Listener()
    heard = [job.hear(down_for(600), 1000.0 + 600 * number) for number in range(5)]
    assert heard == [Pause(600.0), *(Pause(seconds) for seconds in (1, 2, 4)), Trip("http_503", 600.0)]


def test_the_connections_of_a_proven_job_that_wait_alone_cost_no_patience_either(proven: Listener) -> None:
    heard = [proven.hear(down_for(100), 1000.0 + 100 * number) for number in range(5)]
    assert heard == [None] * 4 + [Pause(100.0)]


def test_hours_that_one_connection_shall_wait_lengthen_nobody_elses_patience(proven: Listener) -> None:
    proven.hear(down_for(40_000), 1000.0)
    assert isinstance([proven.hear(BAD, 1000.0) for _ in range(4)][-1], Pause)
    assert proven.hear(BAD, 1060.0) == Trip("timeout")


def test_a_stop_for_lost_patience_says_what_the_provider_said_last(job: Listener) -> None:
    for _ in range(5):
        job.hear(DOWN, 0.0)
    assert job.hear(down_for(7), 66.9) == Pause(15.0)
    assert job.hear(down_for(7), 74.0) == Trip("http_503", 7.0)


def test_the_told_times_begin_anew_after_a_good_answer(proven: Listener) -> None:
    for start in (0.0, 1000.0, 2000.0):
        heard = [proven.hear(down_for(LONGEST_PAUSE), start) for _ in range(5)]
        assert heard[-1] == Pause(LONGEST_PAUSE)
        proven.hear(WON)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0, 60.0, 800.0, 5000.0]), st.floats(0, 100)),
        min_size=1,
        max_size=60,
    ),
    st.booleans(),
)
def test_no_pause_is_longer_than_a_job_waits_and_no_trouble_is_borne_for_ever(
    answers: list[tuple[float, float]], proven: bool
) -> None:
    job, running = Listener(), 0.0
    if proven:
        job.hear(WON)
    for number, (said, later) in enumerate(answers, 1):
        reaction = job.hear(down_for(said) if said else DOWN, running)
        if isinstance(reaction, Trip):
            assert number >= TROUBLE
            assert reaction.wait == (said or None)
            return
        assert number < TROUBLE or running < LONGEST_PAUSE + job.patience
        seconds = reaction.seconds if reaction else 0.0
        assert seconds <= LONGEST_PAUSE
        assert number < TROUBLE or said <= seconds
        running += seconds + (later if seconds else 0.0)


def test_trouble_that_is_everybodys_is_no_limit(job: Listener) -> None:
    job.hear(Won(TokenPair(Secret("a"), Secret("r"), NOW)))
    for _ in range(3):
        assert job.hear(Later("timeout", scope="app")) is None
    assert (job.breaker.limited, job.breaker.bad) == (0, 3)
    assert isinstance(job.hear(Later(RATE_LIMITED, scope="app")), Pause)
    assert job.breaker.limited == 1
