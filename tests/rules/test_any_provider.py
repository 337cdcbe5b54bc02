"""Whole jobs against providers with any terms: no untrue word, no call too many, an end."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, note, settings
from hypothesis import strategies as st

from migrator.models import FAULTLESS, RESPONSE_LOST, SCOPE_MISSING, Action, Standing, State
from migrator.providers.facts import Repeat
from migrator.rules.agenda import Work
from tests.rules.any_provider import FATES, SCOPE, Fate, Job, jobs


def assert_true(job: Job, end: Standing) -> None:
    """What the ledger says of a connection is so."""
    provider, terms = job.provider, job.provider.terms
    provider.catch_up()
    note(f"{provider} {end}")
    match end.state:
        case State.MIGRATED:
            assert end.pair is not None
            pair = end.pair.pair
            assert provider.revoked or pair.access_token.reveal() in provider.open
            assert provider.revoked or not terms.refreshes or pair.refresh_token.reveal() in provider.alive
            granted = set((provider.says or SCOPE).split())
            missing = bool(provider.says) and not set(terms.scope) <= granted
            assert (end.reason == SCOPE_MISSING) is missing
        case State.NEEDS_CONSENT:
            assert end.pair is None or end.pair.pair.access_token.reveal() not in provider.open
            assert_needed(job, end)
        case State.UNCERTAIN:  # nothing can show it
            assert not terms.verifies
            assert end.pair is not None
        case _:
            raise AssertionError(f"it ends {end.state}")


def assert_needed(job: Job, end: Standing) -> None:
    """Only the user can go on, for the reason that is told."""
    provider = job.provider
    lost = Counter(fate for _, fate in provider.sent)
    match end.reason:
        case "grant_revoked" | "access_token_refused":
            assert provider.revoked
        case "token_expired":
            assert provider.ends is not None
            assert provider.ends <= job.now + job.policy.settle
        case "already_exchanged":
            assert provider.repeat is Repeat.ONCE_PER_USER
        case _:
            assert end.reason == RESPONSE_LOST
            # Or a pair was not believed until it would be seen to work, and it does not.
            unusual = provider.assumed or lost["unusual"]
            assert unusual or sum(lost.values()) > lost["answered"] + lost["revoked"] + lost["unavailable"]


@settings(max_examples=600)
@given(jobs())
def test_whatever_the_terms_and_whatever_gets_lost_the_ledger_tells_the_truth(
    job_and_standing: tuple[Job, Standing],
) -> None:
    job, standing = job_and_standing
    assert_true(job, job.work(standing, Work.SWAP))


@settings(max_examples=600)
@given(jobs(), st.lists(st.sampled_from(FATES), max_size=6), st.booleans())
def test_whatever_gets_lost_in_its_upkeep_the_ledger_tells_the_truth(
    job_and_standing: tuple[Job, Standing], fates: list[Fate], verified: bool
) -> None:
    job, standing = job_and_standing
    terms = job.provider.terms
    end = job.work(standing, Work.SWAP)
    job.fates = fates
    if terms.verifies and verified:
        end = job.work(end, Work.VERIFY)
    elif terms.refreshes:
        job.now += timedelta(days=5)
        end = job.work(end, Work.REFRESH_ALL)
    assert_true(job, end)


@settings(max_examples=300)
@given(jobs(), st.lists(st.sampled_from(FATES), max_size=6))
def test_a_legacy_token_is_ended_once_its_pair_is_stored_and_the_pair_lives_on(
    job_and_standing: tuple[Job, Standing], fates: list[Fate]
) -> None:
    job, standing = job_and_standing
    end = job.work(standing, Work.SWAP)
    assert not end.disabled
    assert Action.DISABLE not in dict(job.provider.sent)
    job.fates = fates
    after = job.work(end, Work.DISABLE)
    if end.state is State.MIGRATED and end.reason in FAULTLESS:
        assert (after.pair, after.state, after.reason) == (end.pair, end.state, end.reason)
        assert after.disabled
        ended = job.provider.ends is not None and job.provider.ends <= job.now
        assert job.provider.legacy is None or ended or after.legacy.token.reveal() != job.provider.legacy
    else:
        assert after == replace(end, tries=0)
