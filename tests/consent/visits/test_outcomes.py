"""What a visit means says what the ledger says."""

from __future__ import annotations

import re
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from migrator.consent.visits.outcomes import (
    after_callback_without_code,
    after_exchange,
    after_verification,
)
from migrator.models import Action, Standing, State
from migrator.providers import Outcome, Reached, Won
from migrator.rules.transitions import settle
from migrator.rules.visit_outcome import VisitOutcome
from tests.rules.strategies import BACKOFF, NOW, POLICY, consented, outcomes, waiting


@given(waiting(), outcomes)
def test_the_page_after_an_exchange_says_what_the_ledger_says(standing: Standing, outcome: Outcome) -> None:
    visit = after_exchange(outcome)
    verdict = settle(standing, Action.EXCHANGE_CODE, outcome, NOW, POLICY, BACKOFF)
    counts = verdict.new_pair is not None and not verdict.new_pair_set_aside
    assert (visit.outcome == VisitOutcome.UNVERIFIED) is isinstance(outcome, Won) is counts
    if visit.outcome == VisitOutcome.RESPONSE_LOST:
        assert verdict.reason == "response_lost"
    assert not visit.finished


@given(consented(), outcomes)
def test_a_visit_is_finished_exactly_when_its_connection_is_migrated(
    standing: Standing, outcome: Outcome
) -> None:
    verdict = settle(standing, Action.VERIFY, outcome, NOW, POLICY, BACKOFF)
    visit = after_verification(outcome, verdict)
    assert visit.finished is (verdict.state is State.MIGRATED)
    assert VisitOutcome(visit.outcome)
    if isinstance(outcome, Reached) and verdict.state is State.NEEDS_CONSENT:
        assert visit.outcome in (VisitOutcome.OTHER_TENANT, VisitOutcome.OTHER_NAME, VisitOutcome.NO_TENANT)


@given(st.text() | st.from_regex(r"[a-z_]+\n?"))
def test_an_error_that_a_browser_brings_is_written_down_only_if_it_is_a_word(error: str) -> None:
    visit = after_callback_without_code(error)
    assert visit.problem in (error, "no_word" if error else "no_code")
    assert re.fullmatch("[a-z_]{1,40}", visit.problem)
    assert (visit.outcome == VisitOutcome.NO_ANSWER) is (error == "")
    assert visit.refused is (error == "access_denied")


def test_every_outcome_has_a_page() -> None:
    assert len(get_args(Outcome)) == 13, "a new outcome needs a word in visits.outcomes"
